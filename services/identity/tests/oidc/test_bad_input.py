"""Whatever a parameter is – missing, twice, empty, too long, odd, of another client, expired, replayed – the answer is the
error that the standard names: nothing granted, no 500, no redirect to anywhere that is not registered."""

from collections.abc import Mapping
from urllib.parse import urlencode

import httpx
import pytest
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import CALLBACK, Population
from services.identity.tests.flows import Application, claims_of, query_of

from identity_service.relying_parties.domain import GrantType

FORM = {"content-type": "application/x-www-form-urlencoded"}
LONG = "x" * 20_000
ODD = ["\x00", "零", '"><script>', "%00", "' OR 1=1 --", "a\r\nLocation: https://evil.example", "\ud7ff", " "]
DEVICE_GRANT = str(GrantType.DEVICE_CODE)
# RFC 6749 §5.2, 7009 §2.2.1, 8628 §3.5, 8707 §2, 9101 §7: nothing else may be answered by an endpoint that clients call.
ERRORS = {
    "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope",
    "invalid_target", "unsupported_token_type", "authorization_pending", "slow_down", "expired_token", "access_denied",
    "unsupported_response_type", "request_not_supported", "invalid_dpop_proof", "use_dpop_nonce",
}  # fmt: skip
# RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6, RFC 8707 §2.
REDIRECTED = {
    "invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope", "invalid_target",
    "login_required", "consent_required", "request_not_supported", "request_uri_not_supported",
}  # fmt: skip


def variants(base: Mapping[str, str], required: set[str]) -> list[tuple[str, str, bool]]:
    """Each spoilt form of a good request: what was done, the body, and whether it must be refused."""
    spoilt = []
    for name, value in base.items():
        others = [(key, kept) for key, kept in base.items() if key != name]
        spoilt.append((f"{name} missing", urlencode(others), name in required))
        spoilt.append((f"{name} empty", urlencode([*others, (name, "")]), name in required))
        spoilt.append((f"{name} twice", urlencode([*base.items(), (name, value)]), True))
        spoilt.append((f"{name} too long", urlencode([*others, (name, LONG)]), name in required))
        spoilt += [
            (f"{name} odd {odd!r}", urlencode([*others, (name, odd)]), name in required) for odd in ODD
        ]
    return spoilt


class Bad:
    """Collects what went wrong, so that one run names every case."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.tried = 0

    def check(self, case: str, answer: httpx.Response, *, must_fail: bool) -> None:
        self.tried += 1
        told = f"{case}: {answer.status_code} {answer.text[:120]}"
        if "location" in answer.headers or answer.status_code >= 500 or "Traceback" in answer.text:
            self.found.append(told)
        elif answer.status_code >= 400:
            if answer.json().get("error") not in ERRORS or answer.status_code not in (400, 401):
                self.found.append(told)
        elif must_fail:
            self.found.append(told)


@pytest.fixture
def bad() -> Bad:
    return Bad()


@pytest.fixture
async def hall(client: httpx.AsyncClient, population: Population) -> Application:
    """A client that may use every grant."""
    registered = await population.client(
        grant_types=[one for one in GrantType if one is not GrantType.TOKEN_EXCHANGE]
    )
    return Application(client, registered, CALLBACK)


async def spoil(
    bad: Bad, app: Application, path: str, base: Mapping[str, str | None], required: set[str]
) -> None:
    """Every spoilt form of a good request, sent by a client that proves itself in the form."""
    assert app.client.secret
    proof = {"client_id": app.client.client_id, "client_secret": app.client.secret}
    good = {**proof, **{name: value for name, value in base.items() if value is not None}}
    for case, body, must_fail in variants(good, required | set(proof)):
        answer = await app.browser.post(path, content=body, headers=FORM)
        bad.check(f"{path} {case}", answer, must_fail=must_fail)


async def test_token_requests(hall: Application, bad: Bad) -> None:
    forms: list[tuple[dict[str, str], set[str]]] = [
        (
            {
                "grant_type": "authorization_code",
                "code": "not-a-code",
                "redirect_uri": CALLBACK,
                "code_verifier": hall.verifier,
            },
            {"grant_type", "code", "redirect_uri", "code_verifier"},
        ),
        (
            {"grant_type": "refresh_token", "refresh_token": "not-a-token", "scope": "openid"},
            {"grant_type", "refresh_token", "scope"},
        ),
        ({"grant_type": DEVICE_GRANT, "device_code": "not-a-code"}, {"grant_type", "device_code"}),
    ]
    for form, required in forms:
        await spoil(bad, hall, "/identity/token", form, required)
    assert bad.found == []
    assert bad.tried > 100


async def test_client_credentials_by_every_road(hall: Application, bad: Bad) -> None:
    form = {"grant_type": "client_credentials", "scope": "openid", "resource": "urn:lianban:identity"}
    # OpenID's scopes are for people: even the good form gets nothing here.
    await spoil(bad, hall, "/identity/token", form, set(form))
    assertion = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": "a.b.c",
    }
    for case, body, _ in variants(assertion, set()):
        answer = await hall.browser.post("/identity/token", content=body, headers=FORM)
        bad.check(case, answer, must_fail=True)
    assert bad.found == []


async def test_pushed_requests(hall: Application, bad: Bad) -> None:
    base = hall.request("openid", max_age="60", prompt="login", resource="urn:lianban:identity", claims="{}")
    required = {"response_type", "client_id", "redirect_uri", "code_challenge", "code_challenge_method"}
    # Which of these are read as they stand, and which are only handed back, is the standard's: RFC 6749 §4.1.1, Core §3.1.2.1.
    await spoil(bad, hall, "/identity/par", base, required)
    assert bad.found == []


@pytest.mark.parametrize("path", ["/identity/introspect", "/identity/revoke"])
async def test_questions_about_tokens(hall: Application, bad: Bad, path: str) -> None:
    base = {"token": "no-token-at-all", "token_type_hint": "access_token"}
    await spoil(bad, hall, path, base, set())
    for body in ("", urlencode({"token": ""}), "token=a&token=b"):
        auth = httpx.BasicAuth(hall.client.client_id, hall.client.secret or "")
        answer = await hall.browser.post(path, content=body, headers=FORM, auth=auth)
        bad.check(f"{path} {body}", answer, must_fail=True)
    assert bad.found == []


async def test_device_requests(hall: Application, bad: Bad) -> None:
    base = {"scope": "openid", "resource": "urn:lianban:identity"}
    await spoil(bad, hall, "/identity/device_authorization", base, set())
    assert bad.found == []


async def test_authorization_requests_lead_nowhere_else(partner: Application, population: Population) -> None:
    hint = (await partner.tokens(await population.person()))["id_token"]
    partner.browser.cookies.clear()
    base = partner.request(
        "openid", max_age="60", prompt="login", login_hint="somebody", acr_values="urn:lianban:loa:2",
        resource="urn:lianban:identity", claims="{}", ui_locales="zh-CN", display="page",
        id_token_hint=hint,
        request_uri="urn:ietf:params:oauth:request_uri:x", request="a.b.c", response_mode="query",
    )  # fmt: skip
    found = []
    for method, left_out in (("GET", {"request", "request_uri"}), ("POST", set[str]())):
        asked = {name: value for name, value in base.items() if name not in left_out}
        for case, body, _ in variants(asked, set()):
            answer = await _authorize(partner, method, body)
            if not _is_harmless(answer):
                found.append(f"{method} {case}: {answer.status_code} {answer.headers.get('location')}")
    assert found == []


async def _authorize(app: Application, method: str, body: str) -> httpx.Response:
    if method == "POST":
        return await app.browser.post("/identity/authorize", content=body, headers=FORM)
    return await app.browser.get(f"/identity/authorize?{body}")


def _is_harmless(answer: httpx.Response) -> bool:
    """On to our own pages, back to the client with an error that is known, or a page that leads nowhere."""
    if answer.status_code == 400:
        return "location" not in answer.headers and "<script" not in answer.text
    address = answer.headers.get("location", "")
    if answer.status_code != 303 or "\n" in address:
        return False
    if address.startswith("/identity/"):
        return True
    return address.startswith(f"{CALLBACK}?") and query_of(address)["error"] in REDIRECTED


ELSEWHERE = [
    "https://evil.example/", f"{CALLBACK}/..", f"{CALLBACK}?x=1", f"{CALLBACK}#x", f"{CALLBACK} ", CALLBACK.upper(),
    "https://partner.example@evil.example/callback", "https://partner.example.evil.example/callback",
    "//evil.example", "javascript:alert(1)", "http://partner.example/callback", "https://partner.example:8443/callback",
    "https://partner.example/callback\\@evil.example", "https://partner.example/%63allback", "\x00", LONG,
]  # fmt: skip


async def test_only_a_registered_address_is_ever_redirected_to(partner: Application) -> None:
    for address in ELSEWHERE:
        for changes in (
            {},
            {"response_type": "token"},
            {"scope": "none"},
            {"prompt": "none"},
            {"request": "x"},
        ):
            query = urlencode(partner.request(**{"redirect_uri": address, **changes}))
            answer = await partner.browser.get(f"/identity/authorize?{query}")
            assert answer.status_code == 400, (address[:80], changes)
            assert "location" not in answer.headers, (address[:80], changes)


async def test_logout_requests_lead_nowhere_else(partner: Application, population: Population) -> None:
    tokens = await partner.tokens(await population.person())
    base = {
        "id_token_hint": tokens["access_token"],  # signed by us, and no ID token of this client
        "client_id": partner.client.client_id,
        "post_logout_redirect_uri": "https://evil.example/bye",
        "state": "s",
        "ui_locales": "zh",
    }
    for case, body, _ in variants(base, set()):
        for answer in (
            await partner.browser.get(f"/identity/logout?{body}"),
            await partner.browser.post("/identity/logout", content=body, headers=FORM),
        ):
            assert answer.status_code in (200, 400), case
            assert "location" not in answer.headers, case
            assert "evil.example" not in answer.headers["content-security-policy"], case
    assert (await partner.refresh(tokens["refresh_token"])).status_code == 200


async def test_pages_refuse_spoilt_forms(client: httpx.AsyncClient) -> None:
    forms = {
        "/identity/login": {"interaction": "0" * 36, "form_token": "x", "username": "u", "password": "p"},
        "/identity/login/second-factor": {"interaction": "0" * 36, "form_token": "x", "code": "1"},
        "/identity/consent": {"interaction": "0" * 36, "form_token": "x", "decision": "allow"},
        "/identity/device": {"user_code": "BBBB-BBBB", "form_token": "x", "decision": "allow"},
    }
    for path, base in forms.items():
        for case, body, _ in variants(base, set()):
            answer = await client.post(path, content=body, headers=FORM)
            assert answer.status_code in (400, 422), f"{path} {case} {answer.status_code}"
            assert answer.headers["content-type"].startswith("text/html")
    for path in ("/identity/login", "/identity/consent", "/identity/authorize/resume"):
        for value in ("", "x", LONG, "0" * 36, "01890000-0000-7000-8000-000000000000"):
            answer = await client.get(path, params={"interaction": value})
            assert answer.status_code in (400, 422), f"{path} {value[:40]}"


async def test_bodies_that_are_no_forms(client: httpx.AsyncClient) -> None:
    bodies: list[tuple[bytes, str]] = [
        (b"", "text/plain"),
        (b"{}", "application/json"),
        (b"\xff\xfe=\xff&grant_type=%ff", FORM["content-type"]),
        (b"&&&===;;;%%%", FORM["content-type"]),
        (b"grant_type=client_credentials" + b"&a=b" * 5000, FORM["content-type"]),
        (b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
    ]
    for path in ("token", "par", "introspect", "revoke", "device_authorization"):
        for body, kind in bodies:
            answer = await client.post(f"/identity/{path}", content=body, headers={"content-type": kind})
            assert answer.status_code in (400, 401), f"{path} {body[:40]!r}: {answer.status_code}"
            assert answer.json()["error"] in ERRORS


async def test_userinfo_wants_a_token(client: httpx.AsyncClient) -> None:
    for credentials in ("Bearer", "Bearer ", "Bearer x", "Bearer a.b.c", "Basic x", "Bearer " + LONG, "零"):
        sent = [(b"Authorization", credentials.encode())]
        answer = await client.get("/identity/userinfo", headers=sent)
        assert answer.status_code == 401, credentials[:40]
        assert "sub" not in answer.json()


async def test_what_is_another_client_s_is_refused(
    client: httpx.AsyncClient, partner: Application, hall: Application, population: Population
) -> None:
    person = await population.person()
    tokens = await partner.tokens(person)
    hall.verifier = partner.verifier
    for answer in (
        await hall.exchange(await partner.code(person)),
        await hall.refresh(tokens["refresh_token"]),
    ):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    asked = await hall.call("/identity/introspect", token=tokens["access_token"])
    assert asked.json() == {"active": False}
    assert (await hall.call("/identity/revoke", token=tokens["refresh_token"])).status_code == 400
    hint = urlencode({"id_token_hint": tokens["id_token"], "client_id": hall.client.client_id})
    assert (await client.get(f"/identity/logout?{hint}")).status_code == 400
    assert (await partner.refresh(tokens["refresh_token"])).status_code == 200


async def test_what_is_expired_is_refused(partner: Application, population: Population, clock: Clock) -> None:
    person = await population.person()
    code = await partner.code(person)
    tokens = await partner.tokens(person, "openid offline_access")
    clock.pass_(seconds=61)
    assert (await partner.exchange(code)).json()["error"] == "invalid_grant"
    clock.pass_(minutes=5)
    asked = await partner.call("/identity/introspect", token=tokens["access_token"])
    assert asked.json() == {"active": False}
    clock.pass_(days=31)
    assert (await partner.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_what_is_replayed_is_refused_and_ends_what_it_gave(
    partner: Application, population: Population, clock: Clock
) -> None:
    person = await population.person()
    code = await partner.code(person)
    first = (await partner.exchange(code)).json()
    assert (await partner.exchange(code)).json()["error"] == "invalid_grant"
    assert (await partner.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    again = await partner.tokens(person)
    successor = (await partner.refresh(again["refresh_token"])).json()["refresh_token"]
    clock.pass_(seconds=11)
    for token in (again["refresh_token"], successor):
        assert (await partner.refresh(token)).json()["error"] == "invalid_grant"


async def test_scopes_are_never_widened(partner: Application, population: Population) -> None:
    tokens = await partner.tokens(await population.person(), "openid")
    wider = await partner.refresh(tokens["refresh_token"], scope="openid profile phone")
    granted = claims_of(wider.json()["access_token"])["scope"] if wider.status_code == 200 else "openid"
    assert granted == "openid"
    assert wider.status_code == 200 or wider.json()["error"] == "invalid_scope"

"""Devices that ask to be let in (RFC 8628): in the browser, and by scanning with the app."""

import asyncio
import re
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI
from services.identity.tests.conftest import ISSUER, Clock
from services.identity.tests.factories import CALLBACK, Citizen, Officer, Population
from services.identity.tests.flows import Application, claims_of, hidden
from services.identity.tests.oidc.conftest import EndedSessions

from identity_service.organisation.domain import Role
from identity_service.relying_parties.domain import Authentication, GrantType

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture
async def phone(app: FastAPI, population: Population) -> Any:
    """The platform's app on somebody's phone: a browser and tokens of its own."""
    transport = httpx.ASGITransport(app, client=("198.51.100.9", 4000), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as browser:
        yield Application(browser, await population.app(), "http://127.0.0.1:51234/callback")


@pytest.fixture
async def kiosk(client: httpx.AsyncClient, population: Population) -> Application:
    """A public first-party client in a service hall, with as long a name as there can be."""
    registered = await population.client(
        name="自助终端" * 25,
        authentication=Authentication.NONE,
        grant_types=[GrantType.DEVICE_CODE, GrantType.REFRESH_TOKEN],
        redirect_uris=[],
        scopes=["*"],
        first_party=True,
    )
    return Application(client, registered, "")


async def ask(device: Application, scope: str | None = "openid profile", **more: str) -> dict[str, Any]:
    answer = await device.call("/identity/device_authorization", scope=scope, **more)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def poll(device: Application, code: str) -> httpx.Response:
    return await device.token(grant_type=DEVICE_GRANT, device_code=code)


async def app_headers(phone: Application, who: Citizen | Officer) -> dict[str, str]:
    tokens = await phone.tokens(who, "openid identity:devices.approve")
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def at(codes: dict[str, Any], action: str = "") -> str:
    return f"/identity/v1/me/device-authorizations/{codes['user_code']}{action}"


async def test_a_kiosk_is_let_in_by_scanning_with_the_app(
    kiosk: Application, phone: Application, population: Population
) -> None:
    person = await population.person()
    codes = await ask(kiosk)
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", codes["user_code"])
    assert codes["verification_uri"] == f"{ISSUER}/device"
    assert codes["verification_uri_complete"] == f"{ISSUER}/device?user_code={codes['user_code']}"
    assert (codes["expires_in"], codes["interval"]) == (600, 5)
    assert (await poll(kiosk, codes["device_code"])).json()["error"] == "authorization_pending"

    headers = await app_headers(phone, person)
    shown = (await phone.browser.get(at(codes), headers=headers)).json()
    assert shown["client_name"] == "自助终端" * 25
    assert [scope["name"] for scope in shown["scopes"]] == ["openid", "profile"]
    assert shown["address"] == "127.0.0.1"
    assert (await phone.browser.post(at(codes, "/approve"), headers=headers)).status_code == 204

    tokens = (await poll(kiosk, codes["device_code"])).json()
    access, identity = claims_of(tokens["access_token"]), claims_of(tokens["id_token"])
    assert access["sub"] == identity["sub"] == str(person.id)
    assert access["client_id"] == identity["aud"] == kiosk.client.client_id
    assert access["scope"] == "openid profile"
    again = await kiosk.refresh(tokens["refresh_token"])
    assert again.status_code == 200, again.text
    assert claims_of(again.json()["access_token"])["sid"] == access["sid"]


async def test_a_device_code_gives_tokens_once_even_at_once(
    kiosk: Application, phone: Application, population: Population
) -> None:
    codes = await ask(kiosk)
    headers = await app_headers(phone, await population.person())
    await phone.browser.post(at(codes, "/approve"), headers=headers)
    answers = await asyncio.gather(*(poll(kiosk, codes["device_code"]) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    assert {answer.json().get("error") for answer in answers} == {None, "invalid_grant"}
    # Who has let it in may say so again, and gives nothing more by it.
    for action, status in (("/approve", 204), ("/deny", 404)):
        assert (await phone.browser.post(at(codes, action), headers=headers)).status_code == status
    assert (await poll(kiosk, codes["device_code"])).json()["error"] == "invalid_grant"


async def test_a_device_that_was_let_in_lets_nobody_in_and_takes_no_data_away(
    kiosk: Application, phone: Application, population: Population
) -> None:
    person = await population.person()
    codes = await ask(kiosk, "openid identity:devices.approve identity:me.security identity:me.manage")
    await phone.browser.post(at(codes, "/approve"), headers=await app_headers(phone, person))
    let_in = (await poll(kiosk, codes["device_code"])).json()
    held = {"Authorization": f"Bearer {let_in['access_token']}"}
    next_one = await ask(kiosk)
    for method, action in (("GET", ""), ("POST", "/approve"), ("POST", "/deny")):
        refused = await kiosk.browser.request(method, at(next_one, action), headers=held)
        assert (refused.status_code, refused.json()["code"]) == (403, "let_in_by_scanning")
    for method, path in (("POST", "passkeys/options"), ("GET", "export")):
        stale = await kiosk.browser.request(method, f"/identity/v1/me/{path}", headers=held)
        assert (stale.status_code, stale.json()["code"]) == (403, "log_in_again")
    assert (await poll(kiosk, next_one["device_code"])).json()["error"] == "authorization_pending"


async def test_the_device_has_a_session_of_its_own(
    kiosk: Application, phone: Application, population: Population, ended: EndedSessions
) -> None:
    codes = await ask(kiosk)
    headers = await app_headers(phone, await population.person())
    await phone.browser.post(at(codes, "/approve"), headers=headers)
    tokens = (await poll(kiosk, codes["device_code"])).json()
    await kiosk.call("/identity/revoke", token=tokens["refresh_token"])
    assert await ended.list() == [(claims_of(tokens["access_token"])["sid"], "LOGOUT")]
    assert (
        await phone.browser.get("/identity/v1/me/device-authorizations/x", headers=headers)
    ).status_code == 404


async def test_the_session_of_a_device_is_shown_by_the_name_of_its_client(
    kiosk: Application, phone: Application, population: Population
) -> None:
    codes = await ask(kiosk)
    headers = await app_headers(phone, await population.person())
    await phone.browser.post(at(codes, "/approve"), headers=headers)
    page = await phone.browser.get("/identity/account")
    name = "自助终端" * 25
    assert f"<strong>{name[:80]}</strong>" in page.text
    assert f"已登录的应用：{name}<" in page.text
    assert kiosk.client.client_id not in page.text


async def test_a_device_that_is_sent_away_is_told_so(
    kiosk: Application, phone: Application, population: Population
) -> None:
    codes = await ask(kiosk)
    headers = await app_headers(phone, await population.person())
    assert (await phone.browser.post(at(codes, "/deny"), headers=headers)).status_code == 204
    for _ in range(2):
        answer = await poll(kiosk, codes["device_code"])
        assert (answer.status_code, answer.json()["error"]) == (400, "access_denied")


async def test_polling_too_fast_is_slowed_down_and_a_late_device_expires(
    kiosk: Application, clock: Clock
) -> None:
    code = (await ask(kiosk))["device_code"]
    said = []
    for seconds in (0, 1, 5, 10, 10, 15):
        clock.pass_(seconds=seconds)
        said.append((await poll(kiosk, code)).json()["error"])
    # Each poll that is too fast makes the interval five seconds longer: 5, 10, 15.
    assert said == [
        "authorization_pending",
        "slow_down",
        "slow_down",
        "slow_down",
        "slow_down",
        "slow_down",
    ]
    clock.pass_(seconds=40)
    assert (await poll(kiosk, code)).json()["error"] == "authorization_pending"
    clock.pass_(seconds=600)
    assert (await poll(kiosk, code)).json()["error"] == "expired_token"


async def test_an_expired_code_can_be_approved_no_more(
    kiosk: Application, phone: Application, population: Population, clock: Clock
) -> None:
    codes = await ask(kiosk)
    headers = await app_headers(phone, await population.person())
    clock.pass_(seconds=601)
    assert (await phone.browser.post(at(codes, "/approve"), headers=headers)).status_code == 404


async def test_a_device_code_is_bound_to_its_client(
    kiosk: Application, client: httpx.AsyncClient, population: Population
) -> None:
    other = Application(
        client, await population.client(grant_types=[GrantType.DEVICE_CODE], redirect_uris=[]), ""
    )
    code = (await ask(kiosk))["device_code"]
    answer = await poll(other, code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert (await poll(kiosk, code)).json()["error"] == "authorization_pending"


async def test_a_client_without_the_flow_cannot_begin_it(partner: Application) -> None:
    answer = await partner.call("/identity/device_authorization", scope="openid")
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
    assert (await poll(partner, "x")).json()["error"] == "unauthorized_client"


async def test_a_bad_device_request_is_an_oauth_error(kiosk: Application) -> None:
    cases = [
        ({"scope": "nothing:of.ours"}, "invalid_scope"),
        ({"resource": "urn:lianban:nowhere"}, "invalid_target"),
        ({"client_id": "nobody"}, "invalid_client"),
        ({"client_id": "\x00"}, "invalid_request"),
    ]
    for form, error in cases:
        answer = await kiosk.call("/identity/device_authorization", **form)
        assert answer.json()["error"] == error, form


async def test_guessing_user_codes_is_slowed_down(
    kiosk: Application, phone: Application, population: Population, clock: Clock
) -> None:
    codes = await ask(kiosk)
    headers = await app_headers(phone, await population.person())
    path = "/identity/v1/me/device-authorizations/BBBB-BBB{}"
    clock.stand_still()
    for letter in "BCDFGHJKL":
        assert (await phone.browser.get(path.format(letter), headers=headers)).status_code == 404
        # A right code in between gives no further guesses.
        assert (await phone.browser.get(at(codes), headers=headers)).status_code == 200
    tenth = await phone.browser.get(path.format("M"), headers=headers)
    assert tenth.status_code == 404
    slowed = await phone.browser.get(path.format("N"), headers=headers)
    assert slowed.status_code == 429
    assert 0 < int(slowed.headers["retry-after"]) <= 60
    clock.pass_(seconds=60)
    assert (await phone.browser.get(at(codes), headers=headers)).status_code == 200


async def test_somebody_else_s_tokens_let_nobody_in(
    kiosk: Application, partner: Application, population: Population
) -> None:
    codes = await ask(kiosk)
    assert (await kiosk.browser.get(at(codes))).status_code == 401
    tokens = await partner.tokens(await population.person(), "openid")
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await kiosk.browser.post(at(codes, "/approve"), headers=headers)).status_code == 403


async def test_staff_let_a_device_in_with_what_their_roles_allow(
    kiosk: Application, phone: Application, population: Population
) -> None:
    officer = await population.staff(Role.SUPERVISOR)
    codes = await ask(kiosk, "openid identity:staff.read identity:me.read")
    headers = await app_headers(phone, officer)
    await phone.browser.post(at(codes, "/approve"), headers=headers)
    claims = claims_of((await poll(kiosk, codes["device_code"])).json()["access_token"])
    assert (claims["sub"], claims["department_id"]) == (str(officer.id), str(officer.department_id))
    assert "identity:staff.read" in claims["scope"]


async def test_the_page_shows_a_code_to_scan_and_after_log_in_who_asks(
    client: httpx.AsyncClient, population: Population
) -> None:
    registered = await population.client(
        grant_types=[GrantType.DEVICE_CODE], redirect_uris=[], scopes=["openid", "profile"]
    )
    window = Application(client, registered, CALLBACK)
    person = await population.person()
    codes = await ask(window)
    empty = await client.get("/identity/device")
    assert 'name="user_code"' in empty.text
    typed = codes["user_code"].replace("-", " ").lower()
    page = await client.get(f"/identity/device?{urlencode({'user_code': typed})}")
    assert page.status_code == 200
    assert "<svg" in page.text
    assert " style=" not in page.text
    assert "<script" not in page.text
    assert "示例应用" not in page.text  # without a log-in nothing is told of what stands behind a code
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy

    link = re.search(r'href="(/identity/device/login[^"]+)"', page.text)
    assert link
    page = await window.follow(await client.get(link[1].replace("&amp;", "&")))
    page = await window.log_in(person, page)
    assert page.status_code == 200
    assert "示例应用" in page.text
    assert codes["user_code"] in page.text
    assert "127.0.0.1" in page.text
    forged = {**hidden(page), "form_token": "0" * 64, "decision": "allow"}
    assert (await client.post("/identity/device", data=forged)).status_code == 400
    done = await client.post("/identity/device", data={**hidden(page), "decision": "allow"})
    assert "已同意登录" in done.text
    tokens = (await poll(window, codes["device_code"])).json()
    assert claims_of(tokens["id_token"])["sub"] != str(person.id)
    assert "refresh_token" not in tokens


async def test_the_page_denies_and_answers_wrong_codes_alike(
    kiosk: Application, population: Population
) -> None:
    browser = kiosk.browser
    page = await kiosk.follow(await browser.get("/identity/login"))
    await kiosk.post(
        "/identity/login", page, username=(await population.person()).username, password="seven solar terms"
    )
    codes = await ask(kiosk)
    page = await browser.get(f"/identity/device?user_code={codes['user_code']}")
    done = await browser.post("/identity/device", data={**hidden(page), "decision": "deny"})
    assert "已拒绝登录" in done.text
    assert (await poll(kiosk, codes["device_code"])).json()["error"] == "access_denied"
    for code in (codes["user_code"], "BBBB-BBBB", "零"):
        answer = await browser.get("/identity/device", params={"user_code": code})
        assert answer.status_code == 422
        assert "设备码不正确或已失效" in answer.text


async def test_discovery_tells_of_the_device_flow(client: httpx.AsyncClient) -> None:
    metadata = (await client.get("/identity/.well-known/openid-configuration")).json()
    assert metadata["device_authorization_endpoint"] == f"{ISSUER}/device_authorization"
    assert DEVICE_GRANT in metadata["grant_types_supported"]

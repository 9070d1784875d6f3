"""The authorization code flow from the client's side."""

import asyncio
from urllib.parse import urlencode

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from services.identity.tests.conftest import ISSUER, Clock
from services.identity.tests.factories import CALLBACK, LOOPBACK, Population
from services.identity.tests.flows import Application, claims_of, query_of
from services.identity.tests.oidc.conftest import EndedSessions

from identity_service.organisation.domain import Role


async def test_a_person_logs_in_and_the_app_gets_what_the_person_may_do(
    mobile: Application, population: Population, client: httpx.AsyncClient
) -> None:
    person = await population.person()
    tokens = await mobile.tokens(person, "openid identity:me.read identity:staff.manage")
    access = claims_of(tokens["access_token"])
    assert access["sub"] == str(person.id)
    assert access["subject_type"] == "person"
    assert access["acr"] == "urn:lianban:loa:2"
    assert access["represents"] == []
    assert access["aud"] == ["urn:lianban:identity"]
    assert tokens["scope"] == access["scope"] == "identity:me.read openid"
    assert tokens["expires_in"] == 300
    me = await client.get("/identity/v1/me", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert me.json()["person_id"] == str(person.id)


async def test_access_and_id_tokens_are_signed_by_a_published_key_and_typed(
    mobile: Application, population: Population, client: httpx.AsyncClient
) -> None:
    tokens = await mobile.tokens(await population.person())
    keys = KeySet.import_key_set((await client.get("/identity/jwks")).json())
    access = jwt.decode(tokens["access_token"], keys, algorithms=["ES256"])
    assert access.header["typ"] == "at+jwt"
    identity = jwt.decode(tokens["id_token"], keys, algorithms=["ES256"])
    assert identity.header["typ"] == "JWT"
    assert identity.claims["iss"] == ISSUER
    assert identity.claims["aud"] == mobile.client.client_id
    assert identity.claims["nonce"] == "n-1"
    assert identity.claims["sid"] == access.claims["sid"]
    assert identity.claims["at_hash"]


async def test_staff_log_in_with_a_second_factor_and_carry_their_assignment(
    mobile: Application, population: Population
) -> None:
    officer = await population.staff(Role.SUPERVISOR)
    claims = claims_of((await mobile.tokens(officer, "openid identity:staff.read"))["access_token"])
    assert claims["subject_type"] == "staff"
    assert claims["department_id"] == str(officer.department_id)
    assert claims["division"] == "430300000000"
    assert claims["roles"] == ["supervisor"]
    assert claims["amr"] == ["pwd", "otp", "mfa"]
    assert "represents" not in claims


async def test_a_company_representative_carries_the_companies(
    mobile: Application, population: Population
) -> None:
    person, company = await population.company()
    claims = claims_of((await mobile.tokens(person))["access_token"])
    assert claims["represents"] == [str(company.id)]


async def test_the_answer_names_state_and_issuer(mobile: Application, population: Population) -> None:
    person = await population.person()
    page = await mobile.log_in(person, await mobile.begin())
    answer = query_of(page.headers["location"])
    assert page.headers["location"].startswith("http://127.0.0.1:51234/callback?")
    assert answer["state"] == "st-1"
    assert answer["iss"] == ISSUER


async def test_a_live_session_needs_no_password(mobile: Application, population: Population) -> None:
    await mobile.tokens(await population.person())
    answer = await mobile.begin()
    assert answer.status_code == 303
    assert "code" in query_of(answer.headers["location"])


async def test_partners_get_a_pairwise_subject_that_differs_between_departments(
    client: httpx.AsyncClient, population: Population, partner: Application
) -> None:
    person = await population.person()
    other = Application(client, await population.client(uscc="11990000LB0000409R"), CALLBACK)
    first = claims_of((await partner.tokens(person))["id_token"])["sub"]
    second = claims_of((await other.tokens(person))["id_token"])["sub"]
    again = claims_of((await partner.tokens(person))["id_token"])["sub"]
    assert len({first, second, str(person.id)}) == 3
    assert again == first


async def test_consent_is_asked_once_and_its_refusal_is_an_answer(
    partner: Application, population: Population
) -> None:
    page = await partner.log_in(await population.person(), await partner.begin("openid profile"))
    assert "您的姓名" in page.text
    denied = await partner.post("/identity/consent", page, decision="deny")
    assert query_of(denied.headers["location"])["error"] == "access_denied"
    assert query_of(denied.headers["location"])["iss"] == ISSUER
    page = await partner.begin("openid profile")
    allowed = await partner.post("/identity/consent", page, decision="allow")
    assert "code" in query_of(allowed.headers["location"])
    assert "code" in query_of((await partner.begin("openid")).headers["location"])
    assert "您的手机号码" in (await partner.begin("openid phone")).text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"scope": "identity:no.such"}, "invalid_scope"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"),
        ({"request_uri": "https://evil.example/r"}, "request_uri_not_supported"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"nonce": "n" * 600}, "invalid_request"),
    ],
)
async def test_errors_go_back_to_the_client_with_state_and_issuer(
    mobile: Application, changes: dict[str, str | None], error: str
) -> None:
    answer = await mobile.begin(**changes)  # type: ignore[arg-type]  # scope is one of them
    assert answer.status_code == 303, answer.text
    told = query_of(answer.headers["location"])
    assert (told["error"], told["state"], told["iss"]) == (error, "st-1", ISSUER)


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "http://127.0.0.1:51234/other"},
        {"redirect_uri": "http://127.0.0.1.evil.example/callback"},
        {"redirect_uri": "https://127.0.0.1:51234/callback"},
        {"redirect_uri": 'http://127.0.0.1/callback"<script>'},
        {"redirect_uri": "http://user@127.0.0.1/callback"},
        {"redirect_uri": "http://127.0.0.1:99999/callback"},
        {"redirect_uri": None},
        {"client_id": "nobody"},
        {"client_id": "\x00"},
        {"client_id": None},
        {"response_type": '"'},
        {"response_type": None},
        {"state": "a\nb"},
    ],
)
async def test_a_request_that_cannot_be_trusted_never_leaves_the_provider(
    mobile: Application, changes: dict[str, str | None]
) -> None:
    answer = await mobile.begin(**changes)  # type: ignore[arg-type]  # scope is none of them
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert "<script>" not in answer.text


async def test_a_repeated_parameter_is_refused(mobile: Application) -> None:
    asked = urlencode([*mobile.request().items(), ("scope", "openid phone")])
    answer = await mobile.browser.get(f"/identity/authorize?{asked}")
    assert answer.status_code == 400


async def test_a_loopback_redirect_is_open_to_any_port_for_public_clients_alone(
    client: httpx.AsyncClient, population: Population
) -> None:
    fixed = Application(
        client, await population.client(redirect_uris=[LOOPBACK]), "http://127.0.0.1:5000/callback"
    )
    assert (await fixed.begin()).status_code == 400


async def test_prompt_login_and_max_age_ask_for_the_password_again(
    mobile: Application, population: Population, clock: Clock
) -> None:
    person = await population.person()
    first = claims_of((await mobile.tokens(person))["id_token"])
    page = await mobile.begin(prompt="login")
    assert "/identity/login" in page.text
    clock.pass_(seconds=30)
    page = await mobile.begin(max_age="10")
    assert "/identity/login" in page.text
    answer = await mobile.log_in(person, page)
    again = await mobile.exchange(query_of(answer.headers["location"])["code"])
    assert claims_of(again.json()["id_token"])["auth_time"] >= first["auth_time"] + 30


async def test_a_wrong_verifier_gets_nothing(mobile: Application, population: Population) -> None:
    code = await mobile.code(await population.person())
    mobile.verifier = "x" * 43
    answer = await mobile.exchange(code)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


async def test_a_missing_verifier_gets_nothing(partner: Application, population: Population) -> None:
    code = await partner.code(await population.person())
    answer = await partner.token(grant_type="authorization_code", code=code, redirect_uri=CALLBACK)
    assert answer.status_code == 400
    assert "access_token" not in answer.json()


async def test_another_redirect_uri_at_the_token_endpoint_gets_nothing(
    mobile: Application, population: Population
) -> None:
    code = await mobile.code(await population.person())
    mobile.redirect_uri = LOOPBACK
    assert (await mobile.exchange(code)).json()["error"] == "invalid_grant"


async def test_another_client_cannot_use_the_code_nor_spoil_it(
    mobile: Application, partner: Application, population: Population
) -> None:
    code = await mobile.code(await population.person())
    partner.verifier, partner.redirect_uri = mobile.verifier, mobile.redirect_uri
    assert (await partner.exchange(code)).json()["error"] == "invalid_grant"
    assert (await mobile.exchange(code)).status_code == 200


async def test_an_expired_code_gets_nothing(
    mobile: Application, population: Population, clock: Clock
) -> None:
    code = await mobile.code(await population.person())
    clock.pass_(seconds=61)
    assert (await mobile.exchange(code)).json()["error"] == "invalid_grant"


async def test_a_code_used_twice_ends_what_the_first_use_gave(
    mobile: Application, population: Population, ended: EndedSessions
) -> None:
    code = await mobile.code(await population.person())
    first = (await mobile.exchange(code)).json()
    assert (await mobile.exchange(code)).json()["error"] == "invalid_grant"
    assert (await mobile.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    assert await ended.list() == [(claims_of(first["access_token"])["sid"], "SUSPICION")]


async def test_a_code_used_twice_at_once_gives_tokens_once(
    mobile: Application, population: Population
) -> None:
    code = await mobile.code(await population.person())
    answers = await asyncio.gather(*(mobile.exchange(code) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400]


async def test_the_resource_parameter_narrows_the_token(mobile: Application, population: Population) -> None:
    person = await population.person()
    code = await mobile.code(person, "openid identity:me.read", resource="urn:lianban:identity")
    answer = await mobile.exchange(code, resource="urn:lianban:identity")
    assert claims_of(answer.json()["access_token"])["aud"] == ["urn:lianban:identity"]
    refused = await mobile.begin("openid identity:me.read", resource="urn:lianban:nowhere")
    assert query_of(refused.headers["location"])["error"] == "invalid_target"


async def test_an_end_to_office_ends_log_ins(mobile: Application, population: Population) -> None:
    officer = await population.staff(Role.CLERK)
    given = await mobile.tokens(officer)
    await population.dismiss(officer)
    assert (await mobile.refresh(given["refresh_token"])).json()["error"] == "invalid_grant"
    page = await mobile.begin()
    assert "/identity/login" in page.text

"""What can be asked about a token, and how it ends: introspection, revocation, userinfo, logout."""

import asyncio
from urllib.parse import urlencode

import httpx
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import Population
from services.identity.tests.flows import Application, claims_of, hidden, query_of
from services.identity.tests.oidc.conftest import EndedSessions

from identity_service.db import Transactions
from identity_service.profiles.handlers import accesses_to


async def introspect(application: Application, token: str) -> httpx.Response:
    assert application.client.secret
    return await application.browser.post(
        "/identity/introspect",
        data={"token": token},
        auth=(application.client.client_id, application.client.secret),
    )


async def revoke(application: Application, token: str) -> httpx.Response:
    form = {"token": token}
    auth: httpx.BasicAuth | None = None
    if application.client.secret:
        auth = httpx.BasicAuth(application.client.client_id, application.client.secret)
    else:
        form["client_id"] = application.client.client_id
    return await application.browser.post(
        "/identity/revoke", data=form, auth=auth or httpx.USE_CLIENT_DEFAULT
    )


async def test_a_client_can_ask_about_its_own_tokens(partner: Application, population: Population) -> None:
    tokens = await partner.tokens(await population.person())
    access = (await introspect(partner, tokens["access_token"])).json()
    assert access["active"]
    assert access["client_id"] == partner.client.client_id
    assert access["token_type"] == "Bearer"
    refresh = (await introspect(partner, tokens["refresh_token"])).json()
    assert refresh["active"]
    assert refresh["token_type"] == "refresh_token"


async def test_nobody_learns_of_the_tokens_of_others(
    partner: Application, mobile: Application, population: Population
) -> None:
    tokens = await mobile.tokens(await population.person())
    assert (await introspect(partner, tokens["access_token"])).json() == {"active": False}
    assert (await introspect(partner, "nonsense")).json() == {"active": False}
    assert (await introspect(partner, tokens["id_token"])).json() == {"active": False}
    anonymous = await mobile.browser.post("/identity/introspect", data={"token": tokens["access_token"]})
    assert anonymous.status_code == 401


async def test_a_revoked_refresh_token_takes_the_whole_grant_with_it(
    partner: Application, population: Population, ended: EndedSessions
) -> None:
    tokens = await partner.tokens(await population.person())
    assert (await revoke(partner, tokens["refresh_token"])).status_code == 200
    assert (await introspect(partner, tokens["access_token"])).json() == {"active": False}
    assert (await partner.refresh(tokens["refresh_token"])).json()["error"] == "invalid_grant"
    assert await ended.list() == [(claims_of(tokens["access_token"])["sid"], "LOGOUT")]
    assert (await revoke(partner, tokens["refresh_token"])).status_code == 200


async def test_a_public_client_revokes_its_own_tokens_and_no_others(
    partner: Application, mobile: Application, population: Population, ended: EndedSessions
) -> None:
    person = await population.person()
    own = await mobile.tokens(person)
    others = await partner.tokens(person)
    assert (await revoke(mobile, others["refresh_token"])).status_code == 400
    assert (await revoke(mobile, own["access_token"])).status_code == 200
    assert (await revoke(mobile, "nonsense")).status_code == 200
    assert await ended.list() == [(claims_of(own["access_token"])["sid"], "LOGOUT")]


async def test_a_hint_that_is_wrong_or_unknown_does_not_matter(
    partner: Application, population: Population
) -> None:
    tokens = await partner.tokens(await population.person())
    for hint in ("refresh_token", "no_such_type"):
        known = await partner.call("/identity/introspect", token=tokens["access_token"], token_type_hint=hint)
        assert known.json()["active"] is True
    ended = await partner.call(
        "/identity/revoke", token=tokens["access_token"], token_type_hint="no_such_type"
    )
    assert ended.status_code == 200
    assert (await introspect(partner, tokens["refresh_token"])).json() == {"active": False}


async def test_userinfo_tells_what_was_granted_and_notes_it(
    partner: Application, population: Population, transactions: Transactions
) -> None:
    person = await population.person()
    tokens = await partner.tokens(person, "openid profile phone")
    answer = await partner.browser.get(
        "/identity/userinfo", headers={"Authorization": f"Bearer {tokens['access_token']}"}
    )
    told = answer.json()
    assert told["sub"] == claims_of(tokens["id_token"])["sub"]
    assert told["name"] == person.name
    assert told["phone_number"] == f"+86{person.phone}"
    async with transactions() as session:
        (look,) = await accesses_to(session, person.id, before=None, limit=10)
    entry = look.entry
    assert entry.client_id == partner.client.client_id
    assert entry.attributes == ["name", "phone_number"]
    assert entry.department_id is not None


async def test_userinfo_tells_no_more_than_the_scopes(partner: Application, population: Population) -> None:
    tokens = await partner.tokens(await population.person(), "openid")
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert set((await partner.browser.post("/identity/userinfo", headers=headers)).json()) == {"sub"}
    assert (await partner.browser.get("/identity/userinfo")).status_code == 401
    forged = {"Authorization": f"Bearer {tokens['id_token']}"}
    assert (await partner.browser.get("/identity/userinfo", headers=forged)).status_code == 401


async def test_userinfo_refuses_an_ended_session_at_once(
    partner: Application, population: Population
) -> None:
    tokens = await partner.tokens(await population.person())
    await revoke(partner, tokens["access_token"])
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await partner.browser.get("/identity/userinfo", headers=headers)).status_code == 401


async def test_logout_with_the_id_token_ends_everything_and_goes_back(
    partner: Application, mobile: Application, population: Population, ended: EndedSessions
) -> None:
    person = await population.person()
    first, second = await mobile.tokens(person), await partner.tokens(person)
    asked = {
        "id_token_hint": second["id_token"],
        "post_logout_redirect_uri": "https://partner.example/bye",
        "state": "s2",
    }
    answer = await partner.browser.get(f"/identity/logout?{urlencode(asked)}")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("https://partner.example/bye?")
    assert query_of(answer.headers["location"]) == {"state": "s2"}
    sids = {claims_of(tokens["access_token"])["sid"] for tokens in (first, second)}
    assert {sid for sid, _ in await ended.list()} == sids
    assert (await mobile.refresh(first["refresh_token"])).json()["error"] == "invalid_grant"
    assert "/identity/login" in (await mobile.begin()).text


async def test_an_id_token_without_its_browser_ends_what_its_own_client_has_alone(
    partner: Application, mobile: Application, population: Population, ended: EndedSessions
) -> None:
    person = await population.person()
    elsewhere, own = await mobile.tokens(person), await partner.tokens(person)
    hint = urlencode({"id_token_hint": own["id_token"]})
    partner.browser.cookies.clear()  # as its server sends it, which has no browser
    assert (await partner.browser.get(f"/identity/logout?{hint}")).status_code == 200
    assert [sid for sid, _ in await ended.list()] == [claims_of(own["access_token"])["sid"]]
    assert (await partner.refresh(own["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await mobile.refresh(elsewhere["refresh_token"])).status_code == 200


async def test_logout_and_refresh_at_once_never_wait_for_each_other(
    mobile: Application, population: Population, clock: Clock
) -> None:
    tokens = await mobile.tokens(await population.person())
    clock.pass_(minutes=2)
    form = {"token": tokens["refresh_token"], "client_id": mobile.client.client_id}
    page = await mobile.browser.get("/identity/logout")
    answers = await asyncio.gather(
        *(mobile.refresh(tokens["refresh_token"]) for _ in range(4)),
        mobile.browser.post("/identity/logout", data=hidden(page)),
        mobile.browser.post("/identity/revoke", data=form),
    )
    assert {answer.status_code for answer in answers} <= {200, 400}
    assert (await mobile.refresh(tokens["refresh_token"])).status_code == 400


async def test_logout_without_a_hint_asks_first(
    mobile: Application, population: Population, ended: EndedSessions
) -> None:
    await mobile.tokens(await population.person())
    page = await mobile.browser.get("/identity/logout")
    assert page.status_code == 200
    assert await ended.list() == []
    forged = await mobile.browser.post("/identity/logout", data={"form_token": "0" * 64})
    assert "退出登录" in forged.text
    assert await ended.list() == []
    done = await mobile.browser.post("/identity/logout", data=hidden(page))
    assert "您已退出登录" in done.text
    assert len(await ended.list()) == 1


async def test_logout_never_redirects_to_an_unregistered_address(
    partner: Application, population: Population
) -> None:
    tokens = await partner.tokens(await population.person())
    asked = {
        "id_token_hint": tokens["id_token"],
        "post_logout_redirect_uri": "https://evil.example/",
    }
    answer = await partner.browser.get(f"/identity/logout?{urlencode(asked)}")
    assert answer.status_code == 200
    assert "location" not in answer.headers


async def test_a_forged_hint_ends_nothing(
    mobile: Application, population: Population, ended: EndedSessions
) -> None:
    tokens = await mobile.tokens(await population.person())
    forged = tokens["id_token"][:-6] + "AAAAAA"
    answer = await mobile.browser.get(f"/identity/logout?{urlencode({'id_token_hint': forged})}")
    assert answer.status_code == 400
    assert await ended.list() == []


async def test_offline_access_survives_logout_of_the_browser_but_not_its_own(
    mobile: Application, population: Population
) -> None:
    person = await population.person()
    kept = await mobile.tokens(person, "openid offline_access")
    page = await mobile.browser.get("/identity/logout")
    await mobile.browser.post("/identity/logout", data=hidden(page))
    again = await mobile.refresh(kept["refresh_token"])
    assert again.status_code == 200
    hint = urlencode({"id_token_hint": kept["id_token"]})
    assert (await mobile.browser.get(f"/identity/logout?{hint}")).status_code == 200
    gone = await mobile.refresh(again.json()["refresh_token"])
    assert gone.json()["error"] == "invalid_grant"

"""Single claims by the ``claims`` parameter (OpenID Connect Core §5.5), and what tokens of partners say of people."""

import json
from typing import Any

import httpx
import pytest
from services.identity.tests.factories import CALLBACK, Population
from services.identity.tests.flows import Application, claims_of, query_of

from identity_service.db import Transactions
from identity_service.oidc.claims import AskedClaims
from identity_service.organisation.domain import Role
from identity_service.profiles.handlers import accesses_to
from service_common.auth import NotAPerson, caller_from_claims


def asking(**places: Any) -> str:
    return json.dumps(places)


async def userinfo(app: Application, tokens: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    told: dict[str, Any] = (await app.browser.get("/identity/userinfo", headers=headers)).json()
    return told


async def test_single_claims_are_told_where_they_were_asked_for(
    partner: Application, population: Population, transactions: Transactions
) -> None:
    person = await population.person()
    wish = asking(
        id_token={"name": {"essential": True}, "auth_time": None, "favourite_colour": None},
        userinfo={"phone_number": None, "address": {"essential": True}},
    )
    page = await partner.log_in(person, await partner.begin("openid", claims=wish))
    assert "您的姓名" in page.text
    assert "您的手机号码" in page.text
    page = await partner.post("/identity/consent", page, decision="allow")
    tokens = (await partner.exchange(query_of(page.headers["location"])["code"])).json()
    identity = claims_of(tokens["id_token"])
    assert identity["name"] == person.name
    assert "phone_number" not in identity
    assert "favourite_colour" not in identity
    told = await userinfo(partner, tokens)
    assert told == {"sub": identity["sub"], "phone_number": f"+86{person.phone}"}
    async with transactions() as session:
        noted = await accesses_to(session, person.id, before=None, limit=10)
    assert {(look.entry.purpose, *look.entry.attributes) for look in noted} == {
        ("id_token", "name"),
        ("userinfo", "phone_number"),
    }
    again = (await partner.refresh(tokens["refresh_token"])).json()
    assert claims_of(again["id_token"])["name"] == person.name


async def test_a_client_gets_no_claim_of_a_scope_it_may_not_have(
    client: httpx.AsyncClient, population: Population
) -> None:
    app = Application(client, await population.client(scopes=["openid"]), CALLBACK)
    code = await app.code(await population.person(), claims=asking(id_token={"name": None}))
    tokens = (await app.exchange(code)).json()
    assert "name" not in claims_of(tokens["id_token"])


async def test_a_request_for_one_subject_is_not_answered_with_another(
    partner: Application, population: Population
) -> None:
    first = claims_of((await partner.tokens(await population.person()))["id_token"])["sub"]
    fits = await partner.begin(claims=asking(id_token={"sub": {"value": first}}))
    assert "code" in query_of(fits.headers["location"])
    other = await partner.begin(claims=asking(id_token={"sub": {"value": "somebody-else"}}))
    assert query_of(other.headers["location"])["error"] == "login_required"


async def test_claims_that_are_none_are_an_error_to_the_client(partner: Application) -> None:
    of_one = (
        "[]",
        "{",
        "7",
        '{"id_token": []}',
        '{"userinfo": {"name": 1}}',
        '{"id_token": {"sub": {"value": 7}}}',
    )
    for text in (*of_one, "[" * 3000, '{"id_token":' * 900, "x" * 5000):
        answer = await partner.begin(claims=text)
        assert query_of(answer.headers["location"])["error"] == "invalid_request", text[:40]


def test_what_we_do_not_have_is_ignored() -> None:
    asked = AskedClaims.parse(
        '{"id_token": null, "userinfo": {"name": null, "x": {"values": [1]}}, "verified": 5}'
    )
    assert asked == AskedClaims((), ("name",))
    assert asked.within({"phone"}) is None
    assert asked.within({"profile"}) == {"id_token": [], "userinfo": ["name"]}


async def test_no_token_of_a_partner_names_a_person_to_be_joined_by(
    client: httpx.AsyncClient, partner: Application, population: Population
) -> None:
    person, company = await population.company()
    other = Application(client, await population.client(uscc="11990000LB0000409R"), CALLBACK)
    seen = []
    for app in (partner, other):
        tokens = await app.tokens(person, "openid profile identity:me.read")
        access = claims_of(tokens["access_token"])
        assert access["sub"] == claims_of(tokens["id_token"])["sub"] == (await userinfo(app, tokens))["sub"]
        assert access["scope"] == "openid profile"
        assert access["aud"] == ["urn:lianban:identity"]
        everything = json.dumps([access, claims_of(tokens["id_token"]), await userinfo(app, tokens)])
        assert str(person.id) not in everything
        assert str(company.id) not in everything
        with pytest.raises(NotAPerson):
            _ = caller_from_claims(access).person_id
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await client.get("/identity/v1/me", headers=headers)).status_code == 403
        seen.append(access)
    first, second = seen
    shared = {name for name in first if first[name] == second[name]}
    assert shared.isdisjoint({"sub", "sid", "jti", "client_id"})


async def test_staff_keep_their_id_in_their_department_s_system(
    partner: Application, population: Population
) -> None:
    officer = await population.staff(Role.CLERK)
    access = claims_of((await partner.tokens(officer, "openid profile"))["access_token"])
    assert access["sub"] == str(officer.id)

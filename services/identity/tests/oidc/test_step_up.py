"""A request that asks for a higher trust level (RFC 9470) raises it on the way, or says that it was not reached."""

import httpx
import pytest
from services.identity.tests.factories import Citizen, Population
from services.identity.tests.flows import Application, claims_of, query_of

from identity_service.organisation.domain import Role
from lianban_local.authority.register import network_credential_of

LEVEL = "urn:lianban:loa:"
UNMET = "unmet_authentication_requirements"


async def begin(app: Application, who: Citizen, acr_values: str, **changes: str) -> httpx.Response:
    """Logged in, and wherever that leads."""
    return await app.log_in(who, await app.begin(acr_values=acr_values, **changes))


async def verify(app: Application, page: httpx.Response, **typed: str) -> httpx.Response:
    return await app.post("/identity/verification", page, decision="verify", **typed)


async def granted_level(app: Application, page: httpx.Response) -> str:
    assert page.status_code == 303, page.text
    answer = await app.exchange(query_of(page.headers["location"])["code"])
    level: str = claims_of(answer.json()["access_token"])["acr"]
    return level


async def test_a_name_raises_to_two_and_a_network_identity_to_three(
    mobile: Application, population: Population
) -> None:
    person = await population.person(verified=False)
    page = await begin(mobile, person, f"{LEVEL}3")
    assert "提升实名等级" in page.text
    wrong = await verify(mobile, page, name="某某某", id_number=person.id_number)
    assert wrong.status_code == 422
    assert 'role="alert"' in wrong.text
    page = await verify(mobile, wrong, name=person.name, id_number=person.id_number)
    assert "网证" in page.text
    page = await verify(mobile, page, credential=network_credential_of(person.id_number))
    assert await granted_level(mobile, page) == f"{LEVEL}3"


@pytest.mark.parametrize("acr_values", [f"{LEVEL}2", f"{LEVEL}4 {LEVEL}2", f"{LEVEL}1"])
async def test_who_has_one_of_the_levels_is_not_held_up(
    mobile: Application, population: Population, acr_values: str
) -> None:
    page = await begin(mobile, await population.person(), acr_values)
    assert await granted_level(mobile, page) == f"{LEVEL}2"


async def test_who_gives_up_goes_back_with_the_error_of_the_standard(
    mobile: Application, population: Population
) -> None:
    page = await begin(mobile, await population.person(), f"{LEVEL}4")
    answer = await mobile.post("/identity/verification", page, decision="give-up")
    back = query_of(answer.headers["location"])
    assert (back["error"], back["state"]) == (UNMET, "st-1")
    assert "iss" in back


async def test_what_cannot_be_reached_is_said_at_once(mobile: Application, population: Population) -> None:
    page = await begin(mobile, await population.person(), "urn:mace:incommon:iap:gold")
    assert query_of(page.headers["location"])["error"] == UNMET
    silent = await mobile.begin(acr_values=f"{LEVEL}3", prompt="none")
    assert query_of(silent.headers["location"])["error"] == UNMET


async def test_staff_are_not_asked_to_verify_themselves(mobile: Application, population: Population) -> None:
    clerk = await population.staff(Role.CLERK)
    page = await mobile.log_in(clerk, await mobile.begin(acr_values=f"{LEVEL}4"))
    assert query_of(page.headers["location"])["error"] == UNMET


async def test_a_forged_form_verifies_nobody(mobile: Application, population: Population) -> None:
    person = await population.person(verified=False)
    page = await begin(mobile, person, f"{LEVEL}2")
    forged = await verify(mobile, page, form_token="x", name=person.name, id_number=person.id_number)
    assert forged.status_code == 400

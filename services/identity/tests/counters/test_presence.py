"""Somebody stands at a counter: by the code on their screen, or by the document in the clerk's hand."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import Citizen, Officer, Population, Tokens
from services.identity.tests.flows import claims_of

from identity_service.app import OwnKeys
from identity_service.organisation.domain import Role
from service_common.presence import Presence, PresenceMethod, PresenceNotValid
from service_common.tokens import TokenVerifier

SHOW = "/identity/v1/me/identity-code"
CHECK = "/identity/v1/counter-checks"
MEET = f"{CHECK}/presences"


@pytest.fixture
def reader(app: FastAPI, client: httpx.AsyncClient) -> Any:
    """Reads proofs as acceptance does."""
    verifier: TokenVerifier = app.state.token_verifier
    return TokenVerifier(
        issuer=verifier._issuer,
        audience="urn:lianban:acceptance",
        keys=OwnKeys(app.state.signing_keys),
        revoked=app.state.revoked_sessions,
    )


async def meet(
    client: httpx.AsyncClient, tokens: Tokens, person: Citizen, clerk: Officer, address: str = SHOW
) -> httpx.Response:
    code = (await client.post(address, headers=tokens.person(person))).json()["code"]
    return await client.post(MEET, json={"code": code}, headers=tokens.staff(clerk))


def checked(person: Citizen, **more: Any) -> dict[str, Any]:
    return {
        "phone": person.phone,
        "name": person.name,
        "id_number": person.id_number,
        "evidence_reference": "GT-2026-000123",
        **more,
    }


async def test_a_code_that_a_clerk_scans_becomes_a_proof_bound_to_the_counter(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, clock: Clock, reader: TokenVerifier
) -> None:
    person, clerk = await population.person(), await population.staff(Role.CLERK)
    answer = await meet(client, tokens, person, clerk)
    assert answer.status_code == 201, answer.text
    met = answer.json()
    assert (met["kind"], met["trust_level"], met["legal_person"]) == ("PERSON", 2, None)
    assert met["name"] != person.name
    assert "*" in met["name"]
    presence = await reader.read_presence(met["presence"], now=clock.now())
    assert presence == Presence(
        id=presence.id,
        person_id=person.id,
        legal_person_id=None,
        trust_level=2,
        method=PresenceMethod.IDENTITY_CODE,
        staff_id=clerk.id,
        department_id=clerk.department_id,
        division="430300000000",
        expires_at=presence.expires_at,
    )
    for secret in (person.id_number, person.phone, person.name):
        assert secret not in str(claims_of(met["presence"]))
    with pytest.raises(PresenceNotValid):
        await reader.read_presence(met["presence"], now=presence.expires_at)
    (entry,) = (await client.get("/identity/v1/me/access-log", headers=tokens.person(person))).json()["items"]
    assert (entry["purpose"], entry["department_id"]) == ("COUNTER_PRESENCE", str(clerk.department_id))


async def test_a_code_is_one_meeting(
    client: httpx.AsyncClient, population: Population, tokens: Tokens
) -> None:
    person, clerk = await population.person(), await population.staff(Role.CLERK)
    code = (await client.post(SHOW, headers=tokens.person(person))).json()["code"]
    answers = [await client.post(MEET, json={"code": code}, headers=tokens.staff(clerk)) for _ in range(2)]
    assert [one.status_code for one in answers] == [201, 422]
    assert answers[1].json()["code"] == "code_not_valid"


async def test_an_enterprise_code_is_a_meeting_in_the_companys_matter(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, clock: Clock, reader: TokenVerifier
) -> None:
    (owner, company), clerk = await population.company(), await population.staff(Role.CLERK)
    address = f"/identity/v1/legal-persons/{company.id}/enterprise-code"
    met = (await meet(client, tokens, owner, clerk, address)).json()
    assert (met["kind"], met["legal_person"]["uscc"]) == ("LEGAL_PERSON", company.uscc)
    presence = await reader.read_presence(met["presence"], now=clock.now())
    assert (presence.person_id, presence.holder_id) == (owner.id, company.id)


async def test_a_document_that_a_clerk_has_checked_is_a_meeting_of_which_the_person_is_told(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, clock: Clock, reader: TokenVerifier
) -> None:
    (owner, company), clerk = await population.company(), await population.staff(Role.CLERK)
    refused = await client.post(
        CHECK, json=checked(owner, uscc="91430100MA4TE5T13D"), headers=tokens.staff(clerk)
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "not_acting_for_it")
    met = (
        await client.post(CHECK, json=checked(owner, uscc=company.uscc), headers=tokens.staff(clerk))
    ).json()
    presence = await reader.read_presence(met["presence"]["presence"], now=clock.now())
    assert (presence.method, presence.trust_level) == (PresenceMethod.COUNTER_CHECK, 4)
    assert (presence.person_id, presence.legal_person_id) == (owner.id, company.id)
    inbox = (await client.get("/identity/v1/me/inbox", headers=tokens.person(owner))).json()["items"]
    assert "窗口核验了您的身份证件" in [one["title"] for one in inbox]


async def test_proofs_codes_and_tokens_do_not_pass_as_each_other(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, clock: Clock, reader: TokenVerifier
) -> None:
    person, clerk = await population.person(), await population.staff(Role.CLERK)
    proof = (await meet(client, tokens, person, clerk)).json()["presence"]
    as_token = await client.get("/identity/v1/me", headers={"Authorization": f"Bearer {proof}"})
    assert as_token.status_code == 401
    as_code = await client.post(MEET, json={"code": proof}, headers=tokens.staff(clerk))
    assert (as_code.status_code, as_code.json()["code"]) == (422, "code_not_valid")
    code = (await client.post(SHOW, headers=tokens.person(person))).json()["code"]
    token = tokens.person(person)["Authorization"].removeprefix("Bearer ")
    for other in (code, token, proof[:-8], "x.y.z", ""):
        with pytest.raises(PresenceNotValid):
            await reader.read_presence(other, now=clock.now())
    elsewhere = TokenVerifier(
        issuer=reader._issuer, audience="urn:lianban:hotline", keys=reader._keys, revoked=reader._revoked
    )
    with pytest.raises(PresenceNotValid):
        await elsewhere.read_presence(proof, now=clock.now())

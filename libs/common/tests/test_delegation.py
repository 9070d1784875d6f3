"""Requests by somebody who acts for somebody else: what is let in, and what stands in the history."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from service_common import timeline
from service_common.auth import Caller, caller_from_claims
from service_common.db import Database
from service_common.delegation import Act, Delegation, NotDelegable, OutsideDelegation, delegation_of
from service_common.tables import timeline_entries

NOTES = "/identity/v1/notes"
PRINCIPAL = "00000000-0000-7000-8000-000000000001"
AGENT = "00000000-0000-7000-8000-000000000002"
ID = "00000000-0000-7000-8000-0000000000d1"


def claims(
    *, acts: tuple[str, ...] = ("SUBMIT",), matters: tuple[str, ...] = ("identity:*",)
) -> dict[str, Any]:
    return {
        "sub": PRINCIPAL,
        "act": {"sub": AGENT, "subject_type": "person"},
        "delegation": {"id": ID, "acts": list(acts), "matters": list(matters)},
    }


def caller(**facts: Any) -> Caller:
    return caller_from_claims({"subject_type": "person", "client_id": "app", **claims(**facts)})


def test_principal_and_agent_are_both_there() -> None:
    found = caller()
    assert (str(found.person_id), found.actor_id, str(found.acting_id)) == (PRINCIPAL, AGENT, AGENT)
    assert found.actor == timeline.Actor("person", AGENT, on_behalf_of=PRINCIPAL, delegation_id=ID)


def test_an_agent_is_held_to_acts_and_matters() -> None:
    found = caller(acts=("VIEW",), matters=("acceptance:A1",))
    found.need_act(Act.VIEW)
    found.need_matter("acceptance", "A1")
    with pytest.raises(NotDelegable):
        found.need_act(Act.SUBMIT)
    for service, code in (("acceptance", "A2"), ("certificates", "A1")):
        with pytest.raises(OutsideDelegation):
            found.need_matter(service, code)


def test_claims_are_read_as_they_were_written() -> None:
    found = caller().delegation
    assert found is not None
    assert delegation_of(found.claims()) == found
    assert isinstance(found, Delegation)


@pytest.mark.parametrize("kept", ["act", "delegation"])
def test_half_a_delegation_is_never_the_principals_own_token(kept: str) -> None:
    with pytest.raises(KeyError):
        delegation_of({kept: claims()[kept]})


async def _write(client: httpx.AsyncClient, token: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": "a"}
    return await client.post(NOTES, json={"text": "x"}, headers=headers)


async def test_what_an_agent_does_stands_in_the_history_with_both(
    client: httpx.AsyncClient, token: Callable[..., str], database: Database
) -> None:
    assert (await _write(client, token(**claims()))).status_code == 201
    async with database.sessions() as session:
        entries = (await session.execute(select(timeline_entries))).all()
    assert [(one.actor_id, one.facts["on_behalf_of"], one.facts["delegation_id"]) for one in entries] == [
        (AGENT, PRINCIPAL, ID)
    ]
    assert timeline.verify(entries)


@pytest.mark.parametrize(
    ("facts", "code"),
    [({"acts": ("VIEW",)}, "not_delegated"), ({"matters": ("acceptance:*",)}, "outside_delegation")],
)
async def test_outside_the_delegation_nothing_happens(
    client: httpx.AsyncClient, token: Callable[..., str], facts: dict[str, Any], code: str
) -> None:
    answer = await _write(client, token(**claims(**facts)))
    assert (answer.status_code, answer.json()["code"]) == (403, code)


async def test_a_route_that_says_nothing_is_for_the_person_alone(
    client: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    headers = {"Authorization": f"Bearer {token(**claims(acts=tuple(Act)))}"}
    answer = await client.get(f"{NOTES}/{ID}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_delegated")


async def test_a_malformed_delegation_is_an_invalid_token(
    client: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    broken = {**claims(), "delegation": {"id": "nonsense"}}
    answer = await _write(client, token(**broken))
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


async def test_two_agents_keys_are_their_own(client: httpx.AsyncClient, token: Callable[..., str]) -> None:
    own = await _write(client, token())
    agents = await _write(client, token(**claims()))
    assert (own.status_code, agents.status_code) == (201, 201)
    assert own.json()["id"] != agents.json()["id"]

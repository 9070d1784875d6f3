"""Journeys at once while every part of the platform is killed with SIGKILL: nothing lost, nothing twice.

What the clients were told is compared with what the services hold. Moments and order come from a printed seed;
``LIANBAN_FAULT_SEED`` repeats one.
"""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from tests.faults.ledger import Ledger

from lianban_local.demo import applying
from lianban_local.demo.app import App, SignedIn
from lianban_local.demo.handling import APPROVER_SCOPE, decide, until
from lianban_local.demo.story import ANSWERS, BUNDLE, XIANGTAN
from lianban_local.testing.stack import RunningPlatform
from service_common.app import Service, create_app

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack")]

SERVICES = ("identity", "acceptance", "certificates", "hotline", "evaluation", "gateway")
PRODUCERS = SERVICES[:-1]
PARTS = (*SERVICES, "nats", "postgres", "envoy")
# A sole trader's small shop that needs no fire check: the licence check by rule, then the food licence.
SMALL_SHOP = {**ANSWERS, "public_gathering": "no"}
SMALL_SHOP.pop("fire_procedure")
PATIENCE_SECONDS = 240.0


@dataclass
class Log:
    """What the platform has confirmed to its clients."""

    submitted: dict[str, applying.Handed] = field(default_factory=dict)
    """By application id."""
    finished: set[str] = field(default_factory=set)
    """Application ids."""


async def journey(app: App, log: Log, number: int) -> None:
    """One applicant's way to the end, with an app that repeats what it has heard nothing of."""
    accounts = [one for one in app.run.accounts if one.role == "citizen"]
    citizen = app.sign_in(accounts[number % len(accounts)], applying.SCOPE)
    trader = (await citizen.get("/identity/v1/me/represented"))["items"][0]
    holder = {"kind": "LEGAL_PERSON", "id": trader["legal_person_id"]}
    handed = await applying.apply(citizen, BUNDLE, XIANGTAN, SMALL_SHOP, holder, in_addition=True)
    log.submitted[handed.id] = handed
    market = next(one for one in app.run.accounts if one.username == "market.approver")
    await until(
        lambda: _decide_open_cases(citizen, app.sign_in(market, APPROVER_SCOPE), handed.id),
        lambda seen: seen["status"] == "FINISHED",
        f"the end of {handed.number}",
        patience=PATIENCE_SECONDS,
    )
    log.finished.add(handed.id)


async def _decide_open_cases(citizen: SignedIn, approver: SignedIn, application_id: str) -> dict[str, Any]:
    seen: dict[str, Any] = await citizen.get(f"/acceptance/v1/applications/{application_id}")
    for case in seen["cases"]:
        # The licence check is the rule's to decide, as long as it can.
        if (
            case["status"] in ("SUBMITTED", "RECEIVED", "ACCEPTED", "REVIEWING")
            and "核验" not in case["item_name"]
        ):
            await decide(approver, case["id"])
    return seen


async def kill_everything_once(platform: RunningPlatform, dice: random.Random) -> None:
    """Each part at a moment of its own; the next one does not wait until the last is back."""
    parts = list(PARTS)
    dice.shuffle(parts)
    before = {part: platform.restarts(part) for part in parts}
    for part in parts:
        await asyncio.sleep(dice.uniform(1.0, 5.0))
        print(f"SIGKILL {part}")
        await asyncio.to_thread(platform.kill, part)
    for part in parts:
        await asyncio.to_thread(platform.wait_back, part, before[part] + 1)


@pytest.fixture
def listeners(define: Callable[[str], Service]) -> dict[str, set[str]]:
    """Durable consumers, as ``service/consumer``, by subject."""
    found: dict[str, set[str]] = {}
    for name in SERVICES:
        service = define(name)
        for subscriber in service.subscribers(create_app(service, worker=True)):
            found.setdefault(subscriber.event.subject, set()).add(f"{name}/{subscriber.name}")
    return found


async def _storm(platform: RunningPlatform, journeys: int) -> Log:
    seed = int(os.environ.get("LIANBAN_FAULT_SEED", "0")) or random.randrange(1, 1_000_000)
    print(f"LIANBAN_FAULT_SEED={seed}")
    dice = random.Random(seed)
    log = Log()
    async with httpx.AsyncClient(timeout=20) as http:
        app = App(platform.run, http)
        async with asyncio.TaskGroup() as group:
            group.create_task(kill_everything_once(platform, dice))
            for number in range(journeys):
                group.create_task(_start_later(dice.uniform(0, 15), app, log, number))
    return log


async def _start_later(seconds: float, app: App, log: Log, number: int) -> None:
    await asyncio.sleep(seconds)
    await journey(app, log, number)


def _settle(ledger: Ledger, listeners: dict[str, set[str]]) -> list[str]:
    """Waits until everything that was sent has been heard; returns what has not."""
    give_up = time.monotonic() + PATIENCE_SECONDS
    while True:
        missing = ledger.unheard(listeners, PRODUCERS) if ledger.unsent(PRODUCERS) == 0 else ["unsent events"]
        if not missing or time.monotonic() > give_up:
            return missing
        time.sleep(0.5)


async def _storm_and_check(platform: RunningPlatform, listeners: dict[str, set[str]], journeys: int) -> None:
    began = datetime.now(UTC)
    log = await _storm(platform, journeys)
    ledger = Ledger(platform)
    assert await asyncio.to_thread(_settle, ledger, listeners) == [], "no event is lost"
    assert ledger.dead(SERVICES) == []
    _check_applications(ledger, log, began, journeys)
    _check_results(ledger, log)
    for service in PRODUCERS:
        assert ledger.broken_histories(service) == [], "histories are gap-free and their chains verify"


def _check_applications(ledger: Ledger, log: Log, began: datetime, journeys: int) -> None:
    """Every confirmed application is there with its number and its cases, and no other one."""
    query = "SELECT id, number, status FROM applications WHERE submitted_at >= %s"
    held = {str(row.id): row for row in ledger.rows("acceptance", query, began)}
    assert len(log.submitted) == journeys
    assert {key: row.number for key, row in held.items()} == {
        key: handed.number for key, handed in log.submitted.items()
    }
    assert {row.status for row in held.values()} == {"FINISHED"}
    cases = ledger.rows(
        "acceptance", "SELECT id, application_id, project_no, status FROM service_cases WHERE application_id = ANY(%s)",
        list(log.submitted),
    )  # fmt: skip
    assert {(str(case.id), case.project_no) for case in cases} == {
        (case["id"], case["project_no"]) for handed in log.submitted.values() for case in handed.cases
    }
    assert {case.status for case in cases} == {"FINISHED"}
    numbers = Counter(
        row.project_no for row in ledger.rows("acceptance", "SELECT project_no FROM service_cases")
    )
    assert max(numbers.values()) == 1, "no two cases share a number"


def _check_results(ledger: Ledger, log: Log) -> None:
    """Each case ended once; one licence per granted item; one invitation per contact."""
    ours = {case["id"] for handed in log.submitted.values() for case in handed.cases}
    granted = {
        case["id"]
        for handed in log.submitted.values()
        for case in handed.cases
        if "核验" not in case["item_name"]
    }
    for action, concerned in (("APPROVE", ours), ("FINISH", ours), ("CERTIFY", granted)):
        times = ledger.times_of("acceptance", action)
        assert {case: times[case] for case in concerned} == dict.fromkeys(concerned, 1), action
    licences = Counter(
        str(row.case_id) for row in ledger.rows("certificates", "SELECT case_id FROM licences")
    )
    assert {case: licences[case] for case in ours} == {case: int(case in granted) for case in ours}
    invitations = Counter(
        str(row.contact_id) for row in ledger.rows("evaluation", "SELECT contact_id FROM invitations")
    )
    assert {case: invitations[case] for case in ours} == dict.fromkeys(ours, 1)


@pytest.mark.timeout(900)
async def test_25_journeys_survive_the_death_of_every_part(
    platform: RunningPlatform, listeners: dict[str, set[str]]
) -> None:
    await _storm_and_check(platform, listeners, journeys=25)


@pytest.mark.long
@pytest.mark.timeout(1800)
async def test_100_journeys_survive_the_death_of_every_part(
    platform: RunningPlatform, listeners: dict[str, set[str]]
) -> None:
    await _storm_and_check(platform, listeners, journeys=100)

"""HTTP of counter checks."""

from datetime import timedelta
from typing import Annotated

from fastapi import status

from identity_service.counters import handlers, presence
from identity_service.counters.schemas import (
    CodeShown,
    CounterCheck,
    CounterCheckResult,
    GuardianCheck,
    PresenceRead,
)
from identity_service.db import InTransactions
from identity_service.edge import CurrentAuthority, CurrentSettings
from identity_service.families.schemas import GuardianshipRead
from identity_service.oidc.routes.work import CurrentBench, CurrentWork
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require, scope

router = api_router("counter-checks", prefix="/identity/v1/counter-checks")

COUNTER_CHECKS = scope(
    "identity:counter-checks", zh="窗口核验身份", en="Verify people at a counter", roles={"clerk"}
)
Clerk = Annotated[Caller, require(COUNTER_CHECKS)]


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Verify a person at the counter 窗口核验",
    description="A clerk has seen the person and the document: trust level 4 for a time, with the reference of the evidence. "
    "The person reads it in the own access log, and is told at once. The answer holds the proof of presence with which the clerk "
    "takes in an application. A repeat renews it, so no `Idempotency-Key` is needed.",
)
async def verify_at_counter(
    *,
    body: CounterCheck,
    transactions: InTransactions,
    ring: Ring,
    caller: Clerk,
    authority: CurrentAuthority,
    settings: CurrentSettings,
    bench: CurrentBench,
    now: Now,
) -> CounterCheckResult:
    person = await handlers.verify_at_counter(
        transactions,
        ring,
        authority,
        caller,
        body.seen(),
        valid=timedelta(days=settings.counter_days),
        allow_fixtures=settings.allow_fixture_identities,
        now=now,
    )
    async with transactions() as session:
        met = await presence.meet_by_check(session, ring, caller, person.id, body.uscc, now=now)
    proof = presence.signed(met.presence, bench.keys, settings, now=now)
    return CounterCheckResult.checked(person, PresenceRead.of(met, proof))


@router.post(
    "/presences",
    status_code=status.HTTP_201_CREATED,
    summary="Meet somebody by their code 窗口扫身份码",
    description="The identity code or enterprise code of somebody who stands at the counter is used up, and becomes a proof of "
    "presence: for one draft, at this department's counter, within ten minutes. The person reads it in the own access log. "
    "A repeat is refused, so there is no `Idempotency-Key`.",
)
async def meet_by_code(body: CodeShown, caller: Clerk, work: CurrentWork) -> PresenceRead:
    met = await presence.meet_by_code(work, caller, body.code)
    return PresenceRead.of(met, presence.signed(met.presence, work.keys, work.settings, now=work.now))


@router.post(
    "/guardianships",
    status_code=status.HTTP_201_CREATED,
    summary="Confirm a guardian at the counter 窗口核实监护关系",
    description="A clerk has seen the household register or the birth certificate. Repeating it gives the same guardianship, so "
    "no `Idempotency-Key` is needed.",
)
async def confirm_guardian(
    *,
    body: GuardianCheck,
    transactions: InTransactions,
    ring: Ring,
    caller: Clerk,
    authority: CurrentAuthority,
    settings: CurrentSettings,
    now: Now,
) -> GuardianshipRead:
    row = await handlers.confirm_guardian(
        transactions,
        ring,
        authority,
        caller,
        body.seen(),
        allow_fixtures=settings.allow_fixture_identities,
        now=now,
    )
    return GuardianshipRead.of(row)

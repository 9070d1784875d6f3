"""No sequence of calls makes two living refresh tokens of one grant, or gives anything for a grant that has ended."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import httpx
from hypothesis import HealthCheck
from hypothesis import settings as examples
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import Citizen, Population, RegisteredClient
from services.identity.tests.flows import Application, claims_of, new_verifier
from sqlalchemy import func, select

from identity_service.accounts.domain import SubjectKind
from identity_service.db import Transactions
from identity_service.oidc.grants import hash_code
from identity_service.oidc.models import AuthorizationCode, RefreshToken
from identity_service.sessions import handlers as sessions
from identity_service.sessions.domain import Method
from identity_service.sessions.models import Grant
from service_common.contracts.identity import SessionEndReason
from service_common.crypto import KeyRing
from service_common.db import new_id

Result = TypeVar("Result")
WINDOW = timedelta(seconds=10)
# So near to the end of the window the clock of the machine decides, and either answer is right.
EDGE = timedelta(seconds=2)
WHICH = st.sampled_from([0, 0, 0, 1])
# What ends a grant is tried seldom: afterwards there is little left to find out.
SELDOM = st.integers(0, 5)


@dataclass
class Family:
    """What we know of one grant: its code, and its refresh tokens in the order in which they were made."""

    grant_id: UUID
    login_session_id: UUID
    code: str
    opened_at: datetime
    code_used: bool = False
    ended: bool = False
    tokens: list[str] = field(default_factory=list)
    used_at: dict[str, datetime] = field(default_factory=dict)


@dataclass
class Surroundings:
    """The service and its database, as the machine's thread reaches them."""

    loop: asyncio.AbstractEventLoop
    app: Application
    transactions: Transactions
    ring: KeyRing
    clock: Clock
    person: Citizen

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=30)

    async def open(self) -> Family:
        """A log-in with a code that the client has not come with yet: what the pages would have made."""
        now = self.clock.now()
        code = f"code-{new_id()}"
        async with self.transactions() as session:
            login, _ = await sessions.start_session(
                session, self.ring, account_id=self.person.id, kind=SubjectKind.PERSON,
                methods=[Method.PASSWORD], now=now,
            )  # fmt: skip
            grant = Grant(
                login_session_id=login.id, subject_id=self.person.id, kind=SubjectKind.PERSON,
                client_id=self.app.client.client_id, scope="openid", is_offline=False,
                methods=["pwd"], authenticated_at=now,
            )  # fmt: skip
            session.add(grant)
            await session.flush()
            session.add(
                AuthorizationCode(
                    code_hash=hash_code(self.ring, code), grant_id=grant.id, redirect_uri=self.app.redirect_uri,
                    code_challenge=self.app.request()["code_challenge"], expires_at=now + timedelta(seconds=60),
                )
            )  # fmt: skip
            return Family(grant.id, login.id, code, now)

    async def at_once(self, token: str, count: int) -> list[httpx.Response]:
        return list(await asyncio.gather(*(self.app.refresh(token) for _ in range(count))))

    async def log_out(self, family: Family) -> None:
        async with self.transactions() as session:
            await sessions.end_session(
                session, family.login_session_id, reason=SessionEndReason.LOGOUT, now=self.clock.now()
            )

    async def living(self, family: Family) -> tuple[int, bool]:
        """Refresh tokens in the database that are not used up, and whether their grant has ended."""
        async with self.transactions() as session:
            unused = await session.scalar(
                select(func.count()).where(
                    RefreshToken.grant_id == family.grant_id, RefreshToken.used_at.is_(None)
                )
            )
            return unused or 0, (await session.get_one(Grant, family.grant_id)).ended_at is not None


class TokenStates(RuleBasedStateMachine):
    """Two grants; clients that redeem, refresh, repeat, revoke and log out in any order."""

    around: Surroundings

    @initialize()
    def log_in(self) -> None:
        self.families = [self.around.run(self.around.open()) for _ in range(2)]
        self.redeem(0, 0)

    @rule(which=WHICH, seldom=SELDOM)
    def redeem(self, which: int, seldom: int) -> None:
        family, around = self.families[which], self.around
        if family.code_used and seldom:
            return
        in_time = around.clock.now() - family.opened_at < timedelta(seconds=58)
        answer = around.run(around.app.exchange(family.code))
        if not family.code_used and not family.ended and in_time:
            assert answer.status_code == 200, answer.text
            family.tokens.append(answer.json()["refresh_token"])
            family.code_used = True
            return
        if answer.status_code == 200:  # within the two seconds in which the code expires
            family.tokens.append(answer.json()["refresh_token"])
            family.code_used = True
            return
        assert answer.json()["error"] == "invalid_grant"
        family.ended |= family.code_used

    @rule(which=WHICH, count=st.sampled_from([1, 3]))
    def refresh_newest(self, which: int, count: int) -> None:
        self.refresh(which, 0, count)

    @rule(which=WHICH, back=st.integers(1, 3), count=st.sampled_from([1, 3]))
    def refresh(self, which: int, back: int, count: int) -> None:
        family, around = self.families[which], self.around
        if not family.tokens:
            return
        token = family.tokens[max(len(family.tokens) - 1 - back, 0)]
        asked_at = around.clock.now()
        answers = around.run(around.at_once(token, count))
        used_at = family.used_at.get(token)
        if family.ended:
            assert {answer.json()["error"] for answer in answers} == {"invalid_grant"}
        elif used_at is None:
            assert {answer.status_code for answer in answers} == {200}
            (successor,) = {answer.json()["refresh_token"] for answer in answers}
            assert successor not in family.tokens
            family.used_at[token] = asked_at
            family.tokens.append(successor)
        elif asked_at - used_at < WINDOW - EDGE:
            assert {answer.json()["refresh_token"] for answer in answers} == {family.tokens[-1]}
        elif asked_at - used_at > WINDOW + EDGE:
            assert {answer.json()["error"] for answer in answers} == {"invalid_grant"}
            family.ended = True
        else:
            family.ended |= any(answer.status_code != 200 for answer in answers)

    @rule(which=WHICH, back=st.integers(1, 2), seldom=st.booleans())
    def refresh_long_after(self, which: int, back: int, seldom: bool) -> None:
        if not seldom:
            self.wait(13)
            self.refresh(which, back, 1)

    @rule(which=WHICH)
    def begin_again(self, which: int) -> None:
        family = self.families[which]
        if family.ended:
            for back in range(2):
                self.refresh(which, back, 1)
            self.families[which] = self.around.run(self.around.open())
            self.redeem(which, 0)

    @rule(which=WHICH, back=st.integers(0, 2), seldom=SELDOM)
    def revoke(self, which: int, back: int, seldom: int) -> None:
        family, around = self.families[which], self.around
        if family.tokens and not seldom:
            token = family.tokens[max(len(family.tokens) - 1 - back, 0)]
            answer = around.run(around.app.call("/identity/revoke", token=token))
            assert answer.status_code == 200
            # A token that is used up is not worth revoking; it ends nothing that a newer one holds.
            family.ended |= around.run(around.living(family))[1]
            assert family.ended or token in family.used_at

    @rule(which=WHICH, seldom=SELDOM)
    def log_out(self, which: int, seldom: int) -> None:
        if seldom:
            return
        self.around.run(self.around.log_out(self.families[which]))
        self.families[which].ended = True

    @rule(seconds=st.sampled_from([1, 3, 3, 30]))
    def wait(self, seconds: int) -> None:
        self.around.clock.pass_(seconds=seconds)

    @invariant()
    def at_most_one_lives(self) -> None:
        for family in getattr(self, "families", []):
            unused, ended = self.around.run(self.around.living(family))
            assert unused <= 1
            assert ended == family.ended


async def test_no_sequence_forks_a_family_or_revives_a_grant(
    client: httpx.AsyncClient,
    population: Population,
    transactions: Transactions,
    ring: KeyRing,
    clock: Clock,
) -> None:
    registered: RegisteredClient = await population.app()
    app = Application(client, registered, "http://127.0.0.1:51234/callback", new_verifier())
    TokenStates.around = Surroundings(
        asyncio.get_running_loop(), app, transactions, ring, clock, await population.person(verified=False)
    )
    bounds = examples(
        max_examples=12, stateful_step_count=25, deadline=None, derandomize=True, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    # Hypothesis is synchronous: the machine runs in a thread and hands its calls to this loop.
    await asyncio.to_thread(run_state_machine_as_test, TokenStates, settings=bounds)


async def test_an_access_token_of_an_ended_grant_is_not_active(
    partner: Application, population: Population
) -> None:
    tokens = await partner.tokens(await population.person())
    first, second = tokens["refresh_token"], (await partner.refresh(tokens["refresh_token"])).json()
    assert claims_of(second["access_token"])["sid"] == claims_of(tokens["access_token"])["sid"]
    await partner.call("/identity/revoke", token=second["refresh_token"])
    for token in (first, second["refresh_token"], tokens["access_token"], second["access_token"]):
        answer = await partner.call("/identity/introspect", token=token)
        assert answer.json() == {"active": False}

"""The page on which somebody raises their trust level because a request asks for a higher one (RFC 9470)."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response

from identity_service.clients.authority import Authority
from identity_service.db import InTransactions, Transactions
from identity_service.edge import CurrentAuthority
from identity_service.login.domain import FormNotOurs
from identity_service.oidc.authorization import NeedsLevel, authorize, pairs_of
from identity_service.oidc.routes.browser import go_on, interaction_of, login_of, visitor_of
from identity_service.oidc.routes.work import Bench, CurrentBench
from identity_service.pages.browsers import CurrentVisit, PageRoute, Visit
from identity_service.pages.rendering import page, see_other
from identity_service.people.domain import DocumentClaim, InvalidIdentityNumber
from identity_service.people.handlers.real_name import RealNameClaim, verify_real_name
from identity_service.people.handlers.real_person import verify_network_identity
from service_common.auth import PUBLIC
from service_common.errors import DomainError, TooMany

router = APIRouter(prefix="/identity", include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute)

_Text = Annotated[str, Form(max_length=200)]


@router.get("/verification")
async def show_verification(
    visit: CurrentVisit,
    bench: CurrentBench,
    transactions: InTransactions,
    interaction: Annotated[UUID, Query()],
) -> Response:
    return await _look(visit, bench, transactions, interaction)


@router.post("/verification")
async def verify(
    *,
    visit: CurrentVisit,
    bench: CurrentBench,
    transactions: InTransactions,
    authority: CurrentAuthority,
    interaction: Annotated[UUID, Form()],
    form_token: _Text,
    decision: Annotated[str, Form(pattern="^(verify|give-up)$")],
    name: _Text = "",
    id_number: _Text = "",
    credential: _Text = "",
) -> Response:
    if not visit.form_is_ours(str(interaction), form_token):
        raise FormNotOurs
    if decision == "give-up":
        return await _look(visit, bench, transactions, interaction, gives_up=True)
    async with transactions() as session:
        work = bench.work(session)
        await interaction_of(visit, work, interaction)
        login = await login_of(visit, work)
    if login is None:
        return see_other(f"/identity/authorize/resume?interaction={interaction}")
    try:
        if credential:
            await _by_network_identity(bench, transactions, authority, login.account_id, credential)
        else:
            claim = RealNameClaim(login.account_id, name.strip(), DocumentClaim(id_number.strip()))
            await _by_name(bench, transactions, authority, claim)
    except DomainError as error:
        return await _look(visit, bench, transactions, interaction, error=error)
    return see_other(f"/identity/authorize/resume?interaction={interaction}")


async def _by_name(
    bench: Bench, transactions: Transactions, authority: Authority, claim: RealNameClaim
) -> None:
    allow = bench.settings.allow_fixture_identities
    await verify_real_name(transactions, bench.ring, authority, claim, allow_fixtures=allow, now=bench.now)


async def _by_network_identity(
    bench: Bench, transactions: Transactions, authority: Authority, person_id: UUID, credential: str
) -> None:
    valid = timedelta(days=bench.settings.network_identity_days)
    await verify_network_identity(
        transactions, bench.ring, authority, person_id, credential.strip(), valid=valid, now=bench.now
    )


async def _look(
    visit: Visit,
    bench: Bench,
    transactions: Transactions,
    interaction_id: UUID,
    *,
    gives_up: bool = False,
    error: DomainError | None = None,
) -> Response:
    """The page, as long as the level lacks; else on to what comes next."""
    async with transactions() as session:
        work = bench.work(session)
        found, asked = await interaction_of(visit, work, interaction_id)
        outcome = await authorize(
            work, pairs_of(asked), await visitor_of(visit, work, asked), found, gives_up=gives_up
        )
        if not isinstance(outcome, NeedsLevel):
            return go_on(visit, work, outcome, found)
        return page(
            visit.request,
            "verification.html",
            status=200 if error is None else 429 if isinstance(error, TooMany) else 422,
            headers={"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else None,
            leads_to=asked.get("redirect_uri"),
            interaction=found.id,
            form_token=visit.form_token(str(found.id)),
            client_name=outcome.client_name,
            level=outcome.level,
            needed=outcome.needed,
            problem=error,
            ui_locales=asked.get("ui_locales", ""),
            wrong_field=_wrong_field(outcome.level, error),
            again=f"/identity/verification?interaction={found.id}",
        )


def _wrong_field(level: int, error: DomainError | None) -> str:
    """Where the page leads whoever has to correct something: what does not fit together begins with the name."""
    if level >= 2:
        return "credential"
    return "id_number" if isinstance(error, InvalidIdentityNumber) else "name"

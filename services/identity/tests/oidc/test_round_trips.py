"""How often a request goes to the database: that is most of what its tokens cost (docs/adr/0008-cost-of-a-token.md)."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from services.identity.tests.factories import Population
from services.identity.tests.flows import Application
from sqlalchemy import event

from identity_service.oidc import clients
from identity_service.oidc.routes.direct import DirectRoute
from identity_service.relying_parties.domain import GrantType
from service_common.auth import PUBLIC


@pytest.fixture
def statements(app: FastAPI) -> Iterator[list[str]]:
    """What is sent to the database, but for the note that a session is in use, once a minute."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("UPDATE login_sessions SET last_seen_at"):
            sent.append(statement)

    engine = app.state.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that was read is known, however slow the machine."""
    monkeypatch.setattr(clients, "_BELIEVED_SECONDS", 3600)


@pytest.mark.usefixtures("remembered")
async def test_a_client_that_is_known_gets_its_token_without_a_statement(
    client: httpx.AsyncClient, population: Population, statements: list[str]
) -> None:
    machine = await population.client(
        grant_types=[GrantType.CLIENT_CREDENTIALS], redirect_uris=[], scopes=["identity:codes.verify"]
    )
    system = Application(client, machine, "")
    await client.get("/identity/jwks")  # the signing keys are known
    counts = []
    for _ in range(2):
        statements.clear()
        answer = await system.token(grant_type="client_credentials")
        assert answer.status_code == 200, answer.text
        counts.append(len(statements))
    assert counts == [1, 0]


@pytest.mark.usefixtures("remembered")
async def test_from_a_browser_that_is_logged_in_to_tokens_are_two_statements_and_three(
    partner: Application, population: Population, statements: list[str]
) -> None:
    person = await population.person()
    await partner.tokens(person)
    statements.clear()
    code = await partner.code(person)
    assert [one.split()[0] for one in statements] == ["SELECT", "WITH"]
    statements.clear()
    assert (await partner.exchange(code)).status_code == 200
    assert [one.split()[0] for one in statements] == [
        "SELECT",
        "INSERT",
        "UPDATE",
    ]  # one writes the refresh token


def test_a_direct_route_has_no_guard_that_nobody_would_ask() -> None:
    router = APIRouter(route_class=DirectRoute)

    async def answer(request: Request) -> Response:
        return Response(request.method)

    async def with_more(request: Request, name: str) -> Response:
        return Response(request.method + name)

    router.add_api_route("/open", answer, dependencies=[PUBLIC])
    for endpoint, dependencies in (
        (answer, []),
        (answer, [PUBLIC, Depends(with_more)]),
        (with_more, [PUBLIC]),
    ):
        with pytest.raises(TypeError):
            router.add_api_route("/guarded", endpoint, dependencies=dependencies)

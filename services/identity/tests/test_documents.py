"""What identity says of itself: OpenAPI, settings, migrations, guards on every route."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from openapi_spec_validator import OpenAPIV31SpecValidator
from sqlalchemy import Connection

from identity_service.app import define_service
from identity_service.db import Base
from identity_service.settings import Settings
from service_common.auth import is_guard
from service_common.db import Database


async def test_the_openapi_document_is_valid_and_complete(client: httpx.AsyncClient) -> None:
    document: dict[str, Any] = (await client.get("/identity/v1/openapi.json")).json()
    OpenAPIV31SpecValidator(document).validate()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), f"{method} {path}"
            assert operation.get("description"), f"{method} {path}"
    names = {entry["name"] for entry in document["x-lianban-scopes"]}
    assert names
    assert all(name.startswith("identity:") for name in names)


def _guards(dependant: Dependant) -> bool:
    return any(is_guard(one.call) or _guards(one) for one in dependant.dependencies)


def test_every_route_says_who_may_enter(settings: Settings) -> None:
    routers = define_service(settings).routers
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    assert len(routes) > 40
    assert [route.path for route in routes if not _guards(route.dependant)] == []


async def test_the_migrations_make_what_the_models_say(database: Database) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


def test_every_setting_is_in_the_readme() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    own = set(Settings.model_fields) - set(Settings.__mro__[1].model_fields)  # type: ignore[attr-defined]
    assert own
    assert [name for name in sorted(own) if f"IDENTITY_{name.upper()}" not in readme] == []


async def test_the_service_is_ready_when_database_and_broker_are(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health/ready")
    assert answer.json() == {
        "status": "ready",
        "checks": {"database": True, "migrations": True, "nats": True},
    }


@pytest.mark.parametrize("path", ["/identity/v1/nowhere", "/identity/.well-known/nowhere"])
async def test_an_unknown_path_is_a_problem_document(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"

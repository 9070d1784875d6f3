"""The OpenAPI document, the guards on routes, and the migration against the models."""

import asyncio
from typing import Any

import jsonschema
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from fastapi import FastAPI
from fastapi.routing import APIRoute
from openapi_spec_validator import validate

from certificates_service.app import MIGRATIONS, define_service
from certificates_service.db import Base
from certificates_service.settings import Settings
from service_common.app import create_app
from service_common.auth import is_guard
from service_common.db import Database
from service_common.migrations import migrate


@pytest.fixture
def document(settings: Settings) -> dict[str, Any]:
    return create_app(define_service(settings), worker=False).openapi()


def test_the_openapi_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_every_operation_says_what_it_does_and_who_may(document: dict[str, Any]) -> None:
    declared = {one["name"] for one in document["x-lianban-scopes"]}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation["summary"], path
            assert operation["description"], path
            for requirement in operation.get("security", []):
                assert set(requirement["lianban"]) <= declared


def test_every_operation_with_a_body_has_an_example(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    bodies = [
        operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
        for operations in document["paths"].values()
        for operation in operations.values()
        if "requestBody" in operation
    ]
    assert len(bodies) >= 12
    assert [name for name in bodies if not schemas[name].get("examples")] == []


def test_every_example_validates_against_its_schema(document: dict[str, Any]) -> None:
    examples = 0
    for schema in document["components"]["schemas"].values():
        for example in schema.get("examples", []):
            whole = {**schema, "components": document["components"]}
            jsonschema.Draft202012Validator(whole).validate(example)
            examples += 1
    assert examples >= 17


def test_every_route_has_a_guard(settings: Settings) -> None:
    app = create_app(define_service(settings), worker=False)

    def guarded(dependant: Any) -> bool:
        return is_guard(dependant.call) or any(guarded(one) for one in dependant.dependencies)

    routes = _api_routes(app)
    assert len(routes) >= 20
    assert [route.path for route in routes if not guarded(route.dependant)] == []


def _api_routes(app: FastAPI) -> list[APIRoute]:
    found: list[APIRoute] = []
    for router in define_service(app.state.settings).routers:
        found += [route for route in router.routes if isinstance(route, APIRoute)]
    return found


async def test_the_migration_makes_what_the_models_say(empty_database: Database) -> None:
    async with empty_database.engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), Base.metadata)
        )
    assert differences == []


async def test_migrating_again_does_nothing(settings: Settings, empty_database: Database) -> None:
    await asyncio.to_thread(migrate, settings.database_url.get_secret_value(), MIGRATIONS)
    async with empty_database.engine.connect() as connection:
        revision = await connection.run_sync(
            lambda sync: MigrationContext.configure(sync).get_current_revision()
        )
    assert revision == (MIGRATIONS / ".current-head").read_text().strip()

"""Who may enter is said twice, by the edge's one table and by each service's document: they must agree."""

from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from gateway_service.edge.routes import INTERNAL_PATHS, ROUTES, Entry, find
from gateway_service.portal.openapi import merge
from lianban_local.deployables import DEPLOYABLES

SERVICES = tuple(deployable.name for deployable in DEPLOYABLES)


def _operations(app: FastAPI) -> Iterator[tuple[str, str, bool]]:
    """Method, an example of the path, and whether the operation asks for a token."""
    for template, operations in app.openapi()["paths"].items():
        path = "/".join("1" if segment.startswith("{") else segment for segment in template.split("/"))
        for method, operation in operations.items():
            yield method.upper(), path, bool(operation.get("security"))


@pytest.fixture
def merged(application: Callable[[str], FastAPI]) -> set[tuple[str, str, str]]:
    """Service, method and path of every operation in the one document of all services."""
    documents = {name: application(name).openapi() for name in SERVICES}
    paths = merge(documents, missing=(), origin="http://localhost", webhooks={})["paths"]
    return {
        (operation["operationId"].split("_")[0], method.upper(), path)
        for path, operations in paths.items()
        for method, operation in operations.items()
    }


def _is_internal(path: str) -> bool:
    return any(path == internal or path.startswith(internal + "/") for internal in INTERNAL_PATHS)


@pytest.mark.parametrize("name", SERVICES)
def test_what_asks_for_no_token_is_not_locked_by_the_edge(
    application: Callable[[str], FastAPI], name: str
) -> None:
    locked = []
    for method, path, asks_for_token in _operations(application(name)):
        if asks_for_token or _is_internal(path):
            continue
        row = find(method, path)
        if row is None or row.upstream != name or row.entry is Entry.TOKEN:
            locked.append(f"{method} {path}")
    assert locked == []


@pytest.mark.parametrize("name", SERVICES)
def test_what_asks_for_a_token_is_reachable_at_its_own_service_or_declared_internal(
    application: Callable[[str], FastAPI], name: str
) -> None:
    astray, checked = [], 0
    for method, path, asks_for_token in _operations(application(name)):
        if not asks_for_token or _is_internal(path):
            continue
        checked += 1
        row = find(method, path)
        if row is None or row.upstream != name:
            astray.append(f"{method} {path}")
    assert checked > 0
    assert astray == []


def test_every_internal_path_hides_an_operation(application: Callable[[str], FastAPI]) -> None:
    paths = [path for name in SERVICES for _, path, _ in _operations(application(name))]
    for internal in INTERNAL_PATHS:
        assert any(path == internal or path.startswith(internal + "/") for path in paths), internal


def test_the_merged_document_holds_what_the_edge_lets_through_and_nothing_else(
    application: Callable[[str], FastAPI], merged: set[tuple[str, str, str]]
) -> None:
    let_through = {
        (name, method.upper(), path)
        for name in SERVICES
        for path, operations in application(name).openapi()["paths"].items()
        for method in operations
        if (row := find(method.upper(), path)) is not None and row.upstream == name
    }
    assert merged == let_through
    assert not [path for _service, _method, path in merged if _is_internal(path)]


def test_every_row_of_the_edge_leads_to_a_route_that_is_described_unless_it_is_a_page(
    application: Callable[[str], FastAPI], merged: set[tuple[str, str, str]]
) -> None:
    described = {id(find(method, path)) for _service, method, path in merged}
    pages = {
        id(find(method, context.path or "/"))
        for name in SERVICES
        for context in iter_route_contexts(application(name).router.routes)
        if not getattr(context, "include_in_schema", False)
        for method in getattr(context, "methods", None) or {"GET"}
    }
    assert [row.path for row in ROUTES if id(row) not in described | pages] == []

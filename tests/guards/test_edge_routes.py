"""Who may enter is said twice, by the edge's one table and by each service's document: they must agree."""

from collections.abc import Callable, Iterator

import pytest
from fastapi import FastAPI

from gateway_service.edge.routes import INTERNAL_PATHS, Entry, find
from lianban_local.deployables import DEPLOYABLES

SERVICES = tuple(deployable.name for deployable in DEPLOYABLES)


def _operations(app: FastAPI) -> Iterator[tuple[str, str, bool]]:
    """Method, an example of the path, and whether the operation asks for a token."""
    for template, operations in app.openapi()["paths"].items():
        path = "/".join("1" if segment.startswith("{") else segment for segment in template.split("/"))
        for method, operation in operations.items():
            yield method.upper(), path, bool(operation.get("security"))


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

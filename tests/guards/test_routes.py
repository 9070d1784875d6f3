"""No route without a decision who may enter; no document that a client generator would choke on."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from openapi_spec_validator import OpenAPIV31SpecValidator

from lianban_local.deployables import DEPLOYABLES
from service_common.auth import SCOPES, is_guard

# Names that the standards' own examples use, and that people look for.
OF_STANDARDS = {"/identity/device_authorization"}

SERVICES = tuple(deployable.name for deployable in DEPLOYABLES)


def _calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for one in dependant.dependencies:
        yield from _calls(one)


@pytest.mark.parametrize("name", SERVICES)
def test_every_route_decides_who_may_enter(application: Callable[[str], FastAPI], name: str) -> None:
    app = application(name)
    open_doors = []
    found = 0
    for context in iter_route_contexts(app.router.routes):
        dependant = getattr(context, "dependant", None)
        if dependant is None:
            continue
        found += 1
        if not any(is_guard(call) for call in _calls(dependant)):
            open_doors.append(context.path)
    assert found > 5
    assert open_doors == []


def _runs_on_the_loop(call: object) -> bool:
    kinds = (inspect.iscoroutinefunction, inspect.isasyncgenfunction)
    return any(kind(one) for kind in kinds for one in (call, type(call).__call__))


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_of_a_request_takes_a_thread(application: Callable[[str], FastAPI], name: str) -> None:
    """FastAPI runs each plain function in a thread: two switches for what is often one line. What really blocks says so."""
    plain = {
        f"{inspect.getmodule(call).__name__}.{getattr(call, '__qualname__', call)}"  # type: ignore[union-attr]
        for context in iter_route_contexts(application(name).router.routes)
        if (dependant := getattr(context, "dependant", None)) is not None
        for call in _calls(dependant)
        if not _runs_on_the_loop(call)
    }
    assert plain == set()


@pytest.mark.parametrize("name", SERVICES)
def test_the_openapi_document_is_valid_and_complete(application: Callable[[str], FastAPI], name: str) -> None:
    document: dict[str, Any] = application(name).openapi()
    OpenAPIV31SpecValidator(document).validate()
    lacking = [
        f"{method} {path}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if not (operation.get("summary") and operation.get("description"))
    ]
    assert lacking == []


@pytest.mark.parametrize("name", SERVICES)
def test_paths_are_nouns_below_the_service_without_trailing_slash(
    application: Callable[[str], FastAPI], name: str
) -> None:
    for path in set(application(name).openapi()["paths"]) - OF_STANDARDS:
        assert not path.endswith("/") or path == "/"
        assert path == path.lower() or "{" in path
        assert "_" not in path.split("{")[0]


@pytest.mark.parametrize("name", SERVICES)
def test_no_personal_number_travels_in_a_url(application: Callable[[str], FastAPI], name: str) -> None:
    for path, operations in application(name).openapi()["paths"].items():
        names = {
            parameter["name"]
            for operation in operations.values()
            for parameter in operation.get("parameters", [])
            if parameter["in"] in ("path", "query")
        }
        assert not names & {"id_number", "phone", "name", "person_name", "uscc_number"}, path


# What somebody may do for somebody else: opened one by one, each with a handler that checks the matter.
OPEN_TO_AGENTS = {
    "acceptance": {
        "VIEW": {
            "get /applications",
            "get /applications/{application_id}",
            "get /applications/{application_id}/accesses",
            "get /applications/{application_id}/timeline",
            "get /cases",
            "get /cases/{case_id}",
            "get /cases/{case_id}/timeline",
            "post /applications/{application_id}/files/{file_id}/link",
        },
        "SUBMIT": {
            "get /applications/{application_id}/prefill",
            "patch /applications/{application_id}",
            "post /applications",
            "post /applications/{application_id}/submit",
            "post /applications/{application_id}/withdraw",
            "post /cases/{case_id}/resubmit",
            "post /cases/{case_id}/withdraw",
            "post /files",
            "post /files/{file_id}/link",
            "put /applications/{application_id}/form",
            "put /applications/{application_id}/materials/{code}",
        },
    },
    "certificates": {
        "VIEW": {
            "get /licences",
            "get /licences/{licence_id}",
            "get /licences/{licence_id}/timeline",
            "get /licences/{licence_id}/uses",
        },
        "COLLECT": {"get /licences/{licence_id}/document", "post /licences/{licence_id}/present"},
    },
}


@pytest.mark.parametrize("name", SERVICES)
def test_agents_enter_only_what_was_opened_to_them(application: Callable[[str], FastAPI], name: str) -> None:
    found: dict[str, set[str]] = {}
    for path, operations in application(name).openapi()["paths"].items():
        for method, operation in operations.items():
            if act := operation.get("x-lianban-act"):
                found.setdefault(act, set()).add(f"{method} {path.removeprefix(f'/{name}/v1')}")
    assert found == OPEN_TO_AGENTS.get(name, {})


KNOWN_ROLES = {
    "citizen", "company_agent", "clerk", "approver", "hotline_agent", "supervisor", "operator", "partner", "service",
}  # fmt: skip


def test_scopes_name_their_service_and_known_roles(application: Callable[[str], FastAPI]) -> None:
    for name in SERVICES:
        application(name)
    assert {scope.service for scope in SCOPES.values()} <= set(SERVICES)
    for scope in SCOPES.values():
        assert scope.roles <= KNOWN_ROLES, scope.name
        assert scope.roles, scope.name

"""OpenAPI 3.1 of a service, with what every operation shares: problem documents, and scopes with their roles."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from service_common.auth import PUBLIC, SCOPES, act_of
from service_common.delegation import Act
from service_common.problem import PROBLEM_JSON

API_VERSION = "1.0.0"


def serve_openapi(app: FastAPI, service_name: str) -> None:
    """Answers ``/{service}/v1/openapi.json`` without login, and makes ``app.openapi()`` give the same document."""

    path = f"/{service_name}/v1/openapi.json"
    app.add_api_route(path, _openapi_document, include_in_schema=False, dependencies=[PUBLIC])

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = describe(app, service_name)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


# Not inside: FastAPI remembers every handler for ever, and one that knew its app would keep it alive, in tests by hundreds.
async def _openapi_document(request: Request) -> dict[str, Any]:
    document: dict[str, Any] = request.app.openapi()
    return document


def describe(app: FastAPI, service_name: str) -> dict[str, Any]:
    """OpenAPI 3.1 of a service: problem documents on every operation, scopes with who may be granted them."""
    document = get_openapi(
        title=app.title, version=API_VERSION, description=app.description, routes=app.routes
    )
    document.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM_SCHEMA
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _describe_problems(path, method, operation)
    _describe_acts(app, document)
    _restore_nulls(document["components"]["schemas"])
    document["components"]["schemas"].pop("HTTPValidationError", None)
    document["components"]["schemas"].pop("ValidationError", None)
    used = _scopes_of(document)
    document["x-lianban-scopes"] = [
        {"name": one.name, "zh": one.zh, "en": one.en, "roles": sorted(one.roles)}
        for one in sorted(SCOPES.values(), key=lambda one: one.name)
        if one.service == service_name and one.name in used
    ]
    return document


def _describe_acts(app: FastAPI, document: dict[str, Any]) -> None:
    """Marks with ``x-lianban-act`` what somebody may do for somebody else, and which act their delegation must allow."""
    for route in iter_route_contexts(app.router.routes):
        act = _act(route.dependant) if getattr(route, "dependant", None) else None
        for method in route.methods or () if act else ():
            operation = document["paths"].get(route.path, {}).get(method.lower())
            if operation is not None:
                operation["x-lianban-act"] = act


def _act(dependant: Dependant) -> Act | None:
    own = act_of(dependant.call)
    return own or next((act for one in dependant.dependencies if (act := _act(one))), None)


def _restore_nulls(schemas: dict[str, Any]) -> None:
    """FastAPI drops every null of the document, in examples too, where a required field would then be missing."""
    for schema in schemas.values():
        for example in schema.get("examples", ()):
            _add_nulls(schema, example, schemas)


def _add_nulls(schema: dict[str, Any], example: Any, schemas: dict[str, Any]) -> None:
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[-1]]
    for variant in schema.get("anyOf", ()):
        _add_nulls(variant, example, schemas)
    if isinstance(example, list):
        for one in example:
            _add_nulls(schema.get("items", {}), one, schemas)
    if not isinstance(example, dict):
        return
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in example and {"type": "null"} in properties[name].get("anyOf", ()):
            example[name] = None
    for name, value in example.items():
        _add_nulls(properties.get(name, {}), value, schemas)


def _scopes_of(document: dict[str, Any]) -> set[str]:
    """The scopes that the document's own routes ask for."""
    return {
        name
        for operations in document["paths"].values()
        for operation in operations.values()
        for requirement in operation.get("security", [])
        for names in requirement.values()
        for name in names
    }


def _describe_problems(path: str, method: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    headers = {one["name"].lower() for one in operation.get("parameters", []) if one["in"] == "header"}
    statuses = {"422": "Invalid content", "429": "Too many requests", "503": "Temporarily unavailable"}
    if operation.get("security"):
        statuses |= {"401": "Not signed in", "403": "Not allowed"}
    if "{" in path:
        statuses["404"] = "Not found, or not yours to know of"
    if method not in ("get", "head"):
        statuses["409"] = "The current state does not allow it"
    if "if-match" in headers:
        statuses |= {"412": "Changed in the meantime", "428": "If-Match is missing"}
    for status, meaning in statuses.items():
        described = answers.get(status, {}).get("description", meaning)
        answers[status] = {
            "description": meaning if described == "Validation Error" else described,
            "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }


_PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457. `code` is stable, `detail` is for people, `errors` points at fields.",
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "code": {"type": "string"},
        "trace_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string"},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}

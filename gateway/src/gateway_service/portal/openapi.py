"""Joins the services' OpenAPI documents into one: paths stay, names of components and operations get their service's name.

Operations that the edge does not let through are for services alone, and left out.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from gateway_service.edge.routes import find

Json = dict[str, Any]

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})

_DESCRIPTION = """\
All interfaces of Lianban 联办 behind one origin. Sign in with OpenID Connect at `/identity`; every operation names the scopes it
asks for. Errors are problem documents (RFC 9457); lists are keyset pages; changes take an `Idempotency-Key`.
"""


def merge(documents: Mapping[str, Json], *, missing: Iterable[str], origin: str, webhooks: Json) -> Json:
    """One OpenAPI 3.1 document out of those of the services, by service name."""
    merged: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": "Lianban 联办",
            "version": "1",
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": origin}],
        "tags": [],
        "paths": {},
        "webhooks": webhooks,
        "components": {},
        "x-lianban-scopes": [],
    }
    for service, document in documents.items():
        _add(merged, service, document)
    if absent := sorted(missing):
        merged["x-lianban-missing"] = absent
    return merged


def _add(merged: Json, service: str, document: Json) -> None:
    renamed: Json = _renamed(document, service)
    for path, operations in renamed.get("paths", {}).items():
        if reachable := _reachable(path, operations, service):
            merged["paths"][path] = _named_operations(reachable, service)
    for kind, components in renamed.get("components", {}).items():
        of_kind = merged["components"].setdefault(kind, {})
        for name, component in components.items():
            # All services take the same tokens: one security scheme for all.
            of_kind[name if kind == "securitySchemes" else f"{service}.{name}"] = component
    merged["x-lianban-scopes"].extend(renamed.get("x-lianban-scopes", []))
    tags = sorted(
        {tag for path in merged["paths"].values() for tag in _tags(path) if tag.startswith(f"{service}: ")}
    )
    merged["tags"].extend({"name": tag, "description": document["info"]["title"]} for tag in tags)


def _tags(path: Json) -> Iterable[str]:
    return (
        tag for operation in path.values() if isinstance(operation, dict) for tag in operation.get("tags", [])
    )


def _reachable(path: str, operations: Json, service: str) -> Json:
    """The operations of a path that the edge leads to their service; empty when there is none.

    A parameter in a path is a segment like any other to the edge, so the template itself is looked up.
    """
    shown = {}
    for method, operation in operations.items():
        row = find(method.upper(), path) if method in _METHODS else None
        if row is not None and row.upstream == service:
            shown[method] = operation
    of_all = {key: value for key, value in operations.items() if key not in _METHODS}
    return shown | of_all if shown else {}


def _named_operations(operations: Json, service: str) -> Json:
    return {
        method: operation
        if not isinstance(operation, dict)
        else {
            **operation,
            "operationId": f"{service}_{operation.get('operationId', method)}",
            "tags": [f"{service}: {tag}" for tag in operation.get("tags", ["other"])],
        }
        for method, operation in operations.items()
    }


def _renamed(value: Any, service: str) -> Any:
    """A copy in which every reference to a component points at its new name."""
    if isinstance(value, dict):
        return {
            key: _renamed_reference(inner, service)
            if key == "$ref" and isinstance(inner, str)
            else _renamed_mapping(inner, service)
            if key == "mapping" and isinstance(inner, dict)
            else _renamed(inner, service)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [_renamed(inner, service) for inner in value]
    return value


def _renamed_reference(reference: str, service: str) -> str:
    parts = reference.split("/")
    if parts[:2] == ["#", "components"] and len(parts) >= 4:
        parts[3] = f"{service}.{parts[3]}"
    return "/".join(parts)


def _renamed_mapping(mapping: Json, service: str) -> Json:
    """A discriminator's mapping holds references as plain values; anything else named so is left as it is."""
    return {
        key: _renamed_reference(inner, service) if isinstance(inner, str) else _renamed(inner, service)
        for key, inner in mapping.items()
    }

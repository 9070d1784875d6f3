"""A row of the matrix as requests, and what their answers mean."""

import re
from collections.abc import Mapping
from typing import Any

import httpx
from tests.guards.authorization.rooms import Objects, Room
from tests.guards.authorization.table import Row

_NOWHERE = "01930000-0000-7000-8000-00000000ffff"
_PARAMETER = re.compile(r"\{(\w+)\}")
# Of parameters that name no object of anybody.
_PLACEHOLDERS = {"year": "2026", "kind": "items", "entry_version": "1", "code": "M1"}


def address(row: Row, objects: Objects) -> str:
    """The path with the ids of the objects, and with ids of nothing where there is none."""

    def value(match: "re.Match[str]") -> str:
        name = match[1]
        nothing = _NOWHERE if name.endswith("_id") else "nothing"
        own = objects.others.get(row.route, {}).get(name)
        return own or objects.ids.get(name) or _PLACEHOLDERS.get(name, nothing)

    return _PARAMETER.sub(value, row.path) + objects.queries.get(row.route, "")


def objects_in(path: str, objects: Objects) -> set[str]:
    """The parameters of a path behind which there is an object."""
    return set(_PARAMETER.findall(path)) & set(objects.ids)


def missing_in(path: str, objects: Objects) -> set[str]:
    """The ids in a path behind which there is nothing."""
    return {name for name in _PARAMETER.findall(path) if name.endswith("_id")} - set(objects.ids)


class Bodies:
    """What is sent: the example of the route's own documentation, unless the objects need another."""

    def __init__(self, room: Room, objects: Objects) -> None:
        self._document: dict[str, Any] = room.app.openapi()
        self._own = objects.bodies

    def of(self, route: str) -> Any:
        """None for a route that takes no JSON, or whose documentation gives no example of all of it."""
        if route in self._own:
            return self._own[route]
        method, path = route.split(" ")
        operation = self._document["paths"].get(path, {}).get(method.lower(), {})
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        return self._example(content) if content else None

    def _example(self, content: Mapping[str, Any]) -> Any:
        schema = content["schema"]
        while "$ref" in schema:
            schema = self._document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return next(iter(schema.get("examples", [])), None)


def outcome(answer: httpx.Response, *, about_an_object: bool) -> str:
    """``yes``, ``401``, ``403``, ``404``, or what does not belong into a table: an error of ours, a body that was not read.

    Without an object behind the path a 404 is as good as a ``yes``: scope and role were accepted.
    """
    if answer.status_code >= 500:
        return f"{answer.status_code} {answer.text[:200]}"
    if answer.status_code in (401, 403) or (answer.status_code == 404 and about_an_object):
        return str(answer.status_code)
    if about_an_object and answer.status_code == 422 and '"invalid_input"' in answer.text:
        return f"422 {answer.text[:300]}"
    return "yes"

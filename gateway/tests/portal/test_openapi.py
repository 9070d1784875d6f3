"""The merged OpenAPI document."""

from typing import TYPE_CHECKING, Any

import httpx
from fastapi import FastAPI
from openapi_spec_validator import validate

from gateway_service.portal.openapi import merge

if TYPE_CHECKING:
    from gateway.tests.conftest import Reply, Services


def _document(service: str, schema: str = "Item") -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    variants = {
        "oneOf": [reference],
        "discriminator": {"propertyName": "kind", "mapping": {"a": reference["$ref"]}},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": service, "version": "1"},
        "paths": {
            f"/{service}/v1/things/{{thing_id}}": {
                "get": {
                    "operationId": "read",
                    "tags": ["things"],
                    "parameters": [
                        {"name": "thing_id", "in": "path", "required": True, "schema": {"type": "string"}}
                    ],
                    "security": [{"lianban": [f"{service}:things.read"]}],
                    "responses": {
                        "200": {"description": "ok", "content": {"application/json": {"schema": variants}}}
                    },
                }
            }
        },
        "components": {
            "schemas": {
                schema: {
                    "type": "object",
                    "properties": {"kind": {"type": "string"}, "mapping": {"type": "object"}},
                }
            },
            "securitySchemes": {"lianban": {"type": "http", "scheme": "bearer"}},
        },
        "x-lianban-scopes": [
            {"name": f"{service}:things.read", "zh": "读", "en": "Read", "roles": ["citizen"]}
        ],
    }


def _merged(*services: str) -> dict[str, Any]:
    return merge(
        {one: _document(one) for one in services}, missing=(), origin="http://localhost", webhooks={}
    )


def test_equal_names_of_two_services_stay_apart() -> None:
    merged = _merged("identity", "hotline")
    assert set(merged["components"]["schemas"]) == {"identity.Item", "hotline.Item"}
    operations = [path["get"]["operationId"] for path in merged["paths"].values()]
    assert operations == ["identity_read", "hotline_read"]
    validate(merged)


def test_references_and_discriminators_follow_the_new_names() -> None:
    (path,) = _merged("identity")["paths"].values()
    schema = path["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert schema["oneOf"] == [{"$ref": "#/components/schemas/identity.Item"}]
    assert schema["discriminator"]["mapping"] == {"a": "#/components/schemas/identity.Item"}


def test_what_the_edge_does_not_let_through_is_left_out() -> None:
    document = _document("identity")
    [operations] = document["paths"].values()
    document["paths"]["/identity/v1/org/snapshot"] = operations
    document["paths"]["/hotline/v1/things/{thing_id}"] = operations
    merged = merge({"identity": document}, missing=(), origin="http://localhost", webhooks={})
    assert list(merged["paths"]) == ["/identity/v1/things/{thing_id}"]


def test_scopes_stay_and_there_is_one_security_scheme() -> None:
    merged = _merged("identity", "hotline")
    assert [one["name"] for one in merged["x-lianban-scopes"]] == [
        "identity:things.read",
        "hotline:things.read",
    ]
    assert list(merged["components"]["securitySchemes"]) == ["lianban"]
    (path, _) = merged["paths"].values()
    assert path["get"]["security"] == [{"lianban": ["identity:things.read"]}]


async def test_the_document_is_valid_and_a_service_that_is_away_is_named(
    anybody: httpx.AsyncClient, services: "Services", reply: "type[Reply]"
) -> None:
    for name in ("identity", "acceptance", "certificates", "evaluation"):
        services.answers[f"/{name}/v1/openapi.json"] = reply(body=_document(name))
    services.answers["/hotline/v1/openapi.json"] = reply(503, {})
    document = (await anybody.get("/openapi.json")).json()
    validate(document)
    assert document["x-lianban-missing"] == ["hotline"]
    assert {path.split("/")[1] for path in document["paths"]} >= {"identity", "acceptance", "gateway"}
    assert "case.submitted" in document["webhooks"]
    scopes = {one["name"] for one in document["x-lianban-scopes"]}
    assert {"gateway:webhooks.manage", "gateway:home.read", "identity:things.read"} <= scopes


async def test_a_service_that_goes_away_keeps_its_last_document(
    app: FastAPI, anybody: httpx.AsyncClient, services: "Services", reply: "type[Reply]"
) -> None:
    services.answers["/hotline/v1/openapi.json"] = reply(body=_document("hotline"))
    await anybody.get("/openapi.json")
    services.answers["/hotline/v1/openapi.json"] = reply(200, b"not json")
    app.state.documents._asked_at.clear()
    document = (await anybody.get("/openapi.json")).json()
    assert "hotline" not in document["x-lianban-missing"]
    assert "/hotline/v1/things/{thing_id}" in document["paths"]


async def test_the_services_are_not_asked_for_each_request(
    anybody: httpx.AsyncClient, services: "Services"
) -> None:
    for _ in range(5):
        await anybody.get("/openapi.json")
    asked = [one.path for one in services.peer.asked if one.path.endswith("/openapi.json")]
    assert len(asked) == 5
    assert len(set(asked)) == 5


async def test_the_gateways_own_operations_are_described(anybody: httpx.AsyncClient) -> None:
    document = (await anybody.get("/gateway/v1/openapi.json")).json()
    validate(document)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("summary"), (method, path)
            assert operation.get("description"), (method, path)

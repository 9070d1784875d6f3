"""The document that others program against: examples are valid for the shapes they stand beside."""

from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from acceptance_service.app import define_service
from acceptance_service.settings import Settings
from service_common.app import create_app


@pytest.fixture(scope="module")
def document(settings: Settings) -> dict[str, Any]:
    return create_app(define_service(settings), worker=False).openapi()


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_every_example_fits_its_schema(document: dict[str, Any]) -> None:
    shown = 0
    for name, schema in document["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            shown += 1
            resolving = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
            jsonschema.Draft202012Validator(resolving).validate(example)
    assert shown >= 10


def test_every_operation_of_the_catalogue_is_described(document: dict[str, Any]) -> None:
    parts = ("/items", "/bundles", "/themes", "/catalogue")
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if any(part in path for part in parts):
                assert operation["summary"], path
                assert operation["description"], path

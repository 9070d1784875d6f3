"""The examples of the OpenAPI document are requests that the service would take."""

from types import ModuleType
from typing import Any

import pytest
from pydantic import BaseModel

import hotline_service.tickets.schemas

MODULES: tuple[ModuleType, ...] = (hotline_service.tickets.schemas,)


def examples() -> list[tuple[type[BaseModel], dict[str, Any]]]:
    """Every model of a request with each of its examples."""
    return [
        (model, example)
        for module in MODULES
        for model in vars(module).values()
        if isinstance(model, type) and issubclass(model, BaseModel) and model.__module__ == module.__name__
        for example in model.model_json_schema().get("examples", [])
    ]


@pytest.mark.parametrize(("model", "example"), examples(), ids=lambda one: getattr(one, "__name__", ""))
def test_an_example_is_valid(model: type[BaseModel], example: dict[str, Any]) -> None:
    assert model.model_validate(example).model_dump(mode="json", exclude_unset=True).keys() == example.keys()

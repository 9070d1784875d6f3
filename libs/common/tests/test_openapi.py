"""The OpenAPI document: what the framework leaves out is put back."""

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from service_common.auth import PUBLIC
from service_common.openapi import describe


class Part(BaseModel):
    note: str | None


class Whole(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"closed_at": None, "parts": [{"note": None}], "first": {"note": "x"}}]
        }
    )

    closed_at: str | None
    parts: list[Part]
    first: Part | None


def test_nulls_of_examples_are_shown() -> None:
    app = FastAPI()

    @app.get("/toy", dependencies=[PUBLIC])
    async def read() -> Whole:
        return Whole(closed_at=None, parts=[], first=None)

    (example,) = describe(app, "toy")["components"]["schemas"]["Whole"]["examples"]
    assert example == {"closed_at": None, "parts": [{"note": None}], "first": {"note": "x"}}

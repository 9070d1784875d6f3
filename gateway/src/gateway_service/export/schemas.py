"""The export as it is sent to its person."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gateway_service.home.domain import PartStatus


class ExportPart(BaseModel):
    """What one service holds."""

    status: PartStatus
    data: Any = Field(default=None, description="The answer of the service, unchanged.")


class Export(BaseModel):
    """What every service holds about the caller, in one document."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "exported_at": "2026-11-23T02:00:00Z",
                    "complete": False,
                    "missing": ["hotline"],
                    "continued_at": ["/acceptance/v1/me/export?limit=100&cursor=WyIwMTkzIl0"],
                    "parts": {
                        "identity": {"status": "OK", "data": {"truncated": []}},
                        "acceptance": {
                            "status": "OK",
                            "data": {
                                "items": [],
                                "next": "/acceptance/v1/me/export?limit=100&cursor=WyIwMTkzIl0",
                            },
                        },
                        "certificates": {"status": "OK", "data": {"items": [], "next": None}},
                        "hotline": {"status": "UNAVAILABLE", "data": None},
                        "evaluation": {"status": "OK", "data": {"items": [], "next": None}},
                    },
                }
            ]
        }
    )

    exported_at: datetime
    complete: bool = Field(description="Whether everything is in it: nothing is missing, nothing goes on.")
    missing: list[str] = Field(
        description="Services whose part is not in it: they did not answer, or the token has no scope for them."
    )
    continued_at: list[str] = Field(
        description="Links to go on with, for parts that are longer than a page; identity names lists that go on in `truncated`."
    )
    parts: dict[str, ExportPart]

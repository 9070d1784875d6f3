"""The home screen as it is sent to the app."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from gateway_service.home.domain import PartStatus


class HomePart(BaseModel):
    """One part: its status, and what its service answered when that is `OK`."""

    status: PartStatus
    data: Any = Field(default=None, description="The answer of the service, unchanged.")


class Home(BaseModel):
    """Everything the home screen shows, in one answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "me": {"status": "OK", "data": {"display_name": "王*麦", "trust_level": 3}},
                    "inbox": {"status": "OK", "data": {"items": []}},
                    "applications": {"status": "UNAVAILABLE"},
                    "licences": {"status": "OK", "data": {"items": []}},
                    "invitations": {"status": "OK", "data": {"items": []}},
                }
            ]
        }
    )
    me: HomePart
    inbox: HomePart
    applications: HomePart
    licences: HomePart
    invitations: HomePart

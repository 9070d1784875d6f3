"""HTTP shapes of webhooks."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from gateway_service.webhooks.domain import DeliveryStatus, DisabledReason, EndpointStatus, EventType

_STATUS_LABELS = {
    EndpointStatus.PENDING: "待验证",
    EndpointStatus.ACTIVE: "已启用",
    EndpointStatus.DISABLED: "已停用",
}
_EventTypes = Annotated[
    list[EventType],
    Field(min_length=1, max_length=len(EventType), description="What the receiver wants to hear."),
]
_Description = Annotated[str, Field(max_length=200, description="For the department's own people.")]
_EXAMPLE: dict[str, Any] = {
    "id": "01930000-0000-7000-8000-000000000001",
    "url": "https://approval.example.gov.cn/hooks/lianban",
    "description": "行政审批系统",
    "event_types": ["case.submitted", "case.withdrawn"],
    "status": "PENDING",
    "status_label": "待验证",
    "public_key": "whpk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "created_at": "2026-11-22T02:00:00Z",
}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class WebhookCreate(_Body):
    """A receiver that the caller's department asks for."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{key: _EXAMPLE[key] for key in ("url", "description", "event_types")}]
        }
    )
    url: str = Field(max_length=2000, description="An https address that answers the verification.")
    event_types: _EventTypes
    description: _Description = ""


class WebhookChange(_Body):
    """What changes; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"event_types": ["case.submitted"]}]})
    event_types: _EventTypes | None = None
    description: _Description | None = None


class WebhookRead(BaseModel):
    """A receiver of the caller's department."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"examples": [_EXAMPLE]})
    id: UUID
    url: str
    description: str
    event_types: list[EventType]
    status: EndpointStatus
    status_label: str
    disabled_reason: DisabledReason | None = None
    public_key: str = Field(description="For `v1a` signatures: ed25519, in the form of Standard Webhooks.")
    verified_at: datetime | None = None
    last_success_at: datetime | None = None
    created_at: datetime

    @classmethod
    def of(cls, row: Any) -> "WebhookRead":
        return cls.model_validate({**_columns(cls, row), "status_label": _STATUS_LABELS[row.status]})


class WebhookWithSecret(WebhookRead):
    """With the shared secret for `v1` signatures, shown this once."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{**_EXAMPLE, "secret": "whsec_ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="}]
        }
    )
    secret: str

    @classmethod
    def with_secret(cls, row: Any, secret: str) -> "WebhookWithSecret":
        return cls(**WebhookRead.of(row).model_dump(), secret=secret)


def _columns(shape: type[BaseModel], row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in shape.model_fields if hasattr(row, name)}


class DeliveryRead(BaseModel):
    """One message on its way to one receiver. ``message_id`` is the `webhook-id` of every try."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "01930000-0000-7000-8000-000000000003",
                    "message_id": "msg_01930000-0000-7000-8000-000000000002",
                    "event_type": "case.submitted",
                    "status": "PENDING",
                    "tries": 2,
                    "response_code": 503,
                    "next_try_at": "2026-11-22T02:05:05Z",
                    "created_at": "2026-11-22T02:00:00Z",
                }
            ]
        }
    )
    id: UUID
    message_id: str
    event_type: str
    status: DeliveryStatus
    tries: int
    response_code: int | None = None
    error: str | None = None
    next_try_at: datetime | None = None
    delivered_at: datetime | None = None
    created_at: datetime

    @classmethod
    def of(cls, delivery: Any, event_type: str) -> "DeliveryRead":
        shown = _columns(cls, delivery) | {
            "message_id": f"msg_{delivery.message_id}",
            "event_type": event_type,
        }
        return cls.model_validate(shown)


class ReplayRequest(_Body):
    """From which instant on messages are sent again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"since": "2026-11-21T00:00:00Z"}]})
    since: AwareDatetime


class ReplayRead(BaseModel):
    """How many messages are on their way again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"messages": 42}]})
    messages: int

"""What departments' systems receive, as the ``webhooks`` of OpenAPI 3.1."""

from typing import Any

from gateway_service.webhooks.domain import VERIFICATION, EventType

Json = dict[str, Any]

_HEADERS = {
    "webhook-id": "The same in every try: use it to recognise repeats.",
    "webhook-timestamp": "Seconds since 1970 of this try; refuse what is older than five minutes.",
    "webhook-signature": "`v1` (HMAC-SHA-256) and `v1a` (ed25519) over `id.timestamp.body`, separated by spaces.",
}


def describe_webhooks() -> Json:
    """One entry per kind of message."""
    described = {event_type.value: _webhook(event_type, {}) for event_type in EventType}
    challenge = {"challenge": {"type": "string", "description": 'To be sent back as `{"challenge": …}`.'}}
    return {VERIFICATION: _webhook(VERIFICATION, challenge), **described}


def _webhook(event_type: str, more: Json) -> Json:
    where = (
        {} if more else {"url": {"type": "string", "format": "uri", "description": "Where to read the rest."}}
    )
    return {
        "post": {
            "operationId": f"webhook_{event_type}",
            "tags": ["gateway: webhooks"],
            "summary": event_type,
            "description": "Standard Webhooks. Answer 2xx within 15 seconds; order is not promised, repeats happen.",
            "parameters": [
                {
                    "name": name,
                    "in": "header",
                    "required": True,
                    "description": meaning,
                    "schema": {"type": "string"},
                }
                for name, meaning in _HEADERS.items()
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _schema(event_type, {**where, **more})}},
            },
            "responses": {
                "2XX": {"description": "Received."},
                "410": {"description": "Never call again: the subscription is disabled."},
                "default": {
                    "description": "Tried again: ten times over 75 hours, `Retry-After` is honoured."
                },
            },
        }
    }


def _schema(event_type: str, data: Json) -> Json:
    properties = {"id": {"type": "string", "format": "uuid"}, **data}
    return {
        "type": "object",
        "required": ["type", "timestamp", "data"],
        "properties": {
            "type": {"const": event_type},
            "timestamp": {"type": "string", "format": "date-time"},
            "data": {"type": "object", "required": sorted(properties), "properties": properties},
        },
    }

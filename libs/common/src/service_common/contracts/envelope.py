"""The envelope of every event: CloudEvents 1.0, structured JSON mode, with two extension attributes.

``revision`` counts the events of one aggregate (1, 2, 3 …); ``traceparent`` carries the W3C trace context.
"""

from datetime import datetime
from typing import ClassVar, Generic, Literal, TypeVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class Event(BaseModel):
    """What happened, in facts and identifiers. Subclasses name their subject and carry no personal data.

    A consumer ignores fields it does not know; a field is added only with a default, anything else is a new version.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    subject: ClassVar[str]


EventT = TypeVar("EventT", bound=Event)


class CloudEvent(BaseModel, Generic[EventT]):
    """One event as it travels. ``subject`` is the id of the aggregate that it is about."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    specversion: Literal["1.0"] = "1.0"
    id: UUID
    type: str
    source: str
    subject: UUID
    time: datetime
    datacontenttype: Literal["application/json"] = "application/json"
    revision: int
    traceparent: str | None = None
    data: EventT

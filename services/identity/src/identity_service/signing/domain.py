"""When a signing key signs, and how long it is published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

ALGORITHM = "ES256"


@dataclass(frozen=True, slots=True)
class KeySpan:
    """The times of one key."""

    kid: str
    signs_from: datetime


def signing_kid(spans: Sequence[KeySpan], *, now: datetime) -> str | None:
    """The newest key whose time has come. The others are published: still, or already."""
    due = [span for span in spans if span.signs_from <= now]
    return max(due, key=lambda span: span.signs_from).kid if due else None

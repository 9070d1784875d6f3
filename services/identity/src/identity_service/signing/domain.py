"""When a signing key signs, and how long it is published."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

ALGORITHM = "ES256"
"""With which everything is signed, but for the ID tokens of a client that asked for another one."""

ID_TOKEN_ALGORITHMS = ["ES256", "EdDSA", "RS256"]
"""Among which a client can choose; RS256 is the one that every library knows (OpenID Connect Core §15.1)."""


@dataclass(frozen=True, slots=True)
class KeySpan:
    """The times of one key."""

    kid: str
    signs_from: datetime
    algorithm: str = ALGORITHM


def signing_kid(spans: Sequence[KeySpan], *, now: datetime, algorithm: str = ALGORITHM) -> str | None:
    """The newest key of its kind whose time has come. The others are published: still, or already."""
    due = [span for span in spans if span.signs_from <= now and span.algorithm == algorithm]
    return max(due, key=lambda span: span.signs_from).kid if due else None

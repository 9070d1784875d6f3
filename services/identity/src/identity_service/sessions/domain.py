"""Log-in sessions of a browser, and grants: what a subject lets one client do in one sitting."""

from datetime import datetime, timedelta
from enum import StrEnum


class Method(StrEnum):
    """How a subject was authenticated, in the words of RFC 8176."""

    PASSWORD = "pwd"  # noqa: S105 - a word of the standard
    ONE_TIME_CODE = "otp"
    SEVERAL = "mfa"


def session_end(
    started_at: datetime, last_seen_at: datetime, *, idle: timedelta, longest: timedelta
) -> datetime:
    """When a session ends by itself: after a time without use, at the latest after its longest life."""
    return min(last_seen_at + idle, started_at + longest)

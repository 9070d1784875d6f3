"""Time as the platform means it: instants in UTC, the law's days in Asia/Shanghai."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def utc_now() -> datetime:
    """The current instant, aware, in UTC."""
    return datetime.now(UTC)


def local_date(instant: datetime) -> date:
    """The day that the law means by "today" at this instant."""
    return instant.astimezone(SHANGHAI).date()

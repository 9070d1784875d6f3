"""Hours of an office, for limits in hours and minutes.

Local times are those of Asia/Shanghai, which has kept UTC+8 without summer time since 1992: within the calendar's
years local arithmetic is exact.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from gov_rules.calendars import WorkCalendar

SHANGHAI = ZoneInfo("Asia/Shanghai")

_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """Sessions of a day in local time, ascending; a close at 00:00 is the end of the day.

    ``every_day`` is for services without days off, such as the hotline (国办发〔2020〕53号: 7×24).
    """

    sessions: tuple[tuple[time, time], ...]
    every_day: bool = False

    def __post_init__(self) -> None:
        """Refuse sessions that are empty, overlap or are out of order."""
        edges = [edge for session in self.sessions for edge in _minutes_of(session)]
        if not edges or edges != sorted(set(edges)):
            raise ValueError("sessions must be given, in order and apart from each other")

    def opening(self, day: date) -> datetime:
        """When the office opens on a local day, in UTC."""
        return _instant(day, self.sessions[0][0])

    def closing(self, day: date) -> datetime:
        """When the office closes on a local day, in UTC."""
        closes = self.sessions[-1][1]
        return _instant(day if closes != time.min else day + _ONE_DAY, closes)

    def works_on(self, day: date, calendar: WorkCalendar) -> bool:
        """Whether the office is open at all on a local day."""
        return self.every_day or calendar.is_workday(day)

    def add_time(self, start: datetime, amount: timedelta, calendar: WorkCalendar) -> datetime:
        """The instant (UTC) at which ``amount`` of open time has passed since ``start``.

        An amount that ends with a session ends there, and not at the next opening.
        """
        if amount < timedelta():
            raise ValueError("a period has no negative length")
        left = amount
        for opens, closes in self._open_spans(start, calendar):
            if left <= closes - opens:
                return opens + left
            left -= closes - opens
        raise AssertionError("open spans never end")  # pragma: no cover

    def time_between(self, start: datetime, end: datetime, calendar: WorkCalendar) -> timedelta:
        """Open time from ``start`` to ``end``; nothing when ``end`` comes first."""
        passed = timedelta()
        for opens, closes in self._open_spans(start, calendar):
            if opens >= end:
                break
            passed += min(closes, end) - opens
        return passed

    def _open_spans(self, start: datetime, calendar: WorkCalendar) -> Iterator[tuple[datetime, datetime]]:
        """Open spans in UTC from ``start`` on, the first one cut to what is left of it."""
        day = local_date(start)
        begin = start.astimezone(UTC)
        while True:
            if self.works_on(day, calendar):
                for opens, closes in self._sessions_of(day):
                    if closes > begin:
                        yield max(opens, begin), closes
            day += _ONE_DAY

    def _sessions_of(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        midnight = _instant(day, time.min)
        for session in self.sessions:
            opens, closes = _minutes_of(session)
            yield midnight + timedelta(minutes=opens), midnight + timedelta(minutes=closes)


def local_date(instant: datetime) -> date:
    """The day in Shanghai of an aware instant: what the law calls the day."""
    if instant.tzinfo is None:
        raise ValueError("an instant needs a time zone")
    return instant.astimezone(SHANGHAI).date()


def end_of_day(day: date) -> datetime:
    """The end of a local day in UTC, as the first instant after it (民法典 art. 203: 24:00)."""
    return _instant(day + _ONE_DAY, time.min)


def _instant(day: date, at: time) -> datetime:
    return datetime.combine(day, at, SHANGHAI).astimezone(UTC)


def _minutes_of(session: tuple[time, time]) -> tuple[int, int]:
    opens, closes = session
    return opens.hour * 60 + opens.minute, closes.hour * 60 + closes.minute or 24 * 60


STANDARD_OFFICE_HOURS = OfficeHours(((time(9), time(12)), (time(13), time(17))))
ROUND_THE_CLOCK = OfficeHours(((time.min, time.min),), every_day=True)

"""When the calendar is good enough, and how a notice is refused. Pure."""

from datetime import date

from gov_rules.calendars import WorkCalendar
from gov_rules.notices import NoticeRejected
from service_common.errors import Conflict, FieldProblem, Invalid

# Working days that an ordinary case may take (20 + 10): from this far before the year's end deadlines reach the next.
_REACH_DAYS = 45


class NoticeRefused(Invalid):
    """The notice has faults. Nothing of it is loaded."""

    code = "calendar_notice_rejected"
    zh = "节假日安排有误，未载入。"
    en = "The holiday notice has faults, nothing was loaded."

    @classmethod
    def because(cls, rejected: NoticeRejected) -> "NoticeRefused":
        """Points at every fault."""
        return cls(
            fields=[
                FieldProblem(f"/days/{one.line}" if one.line is not None else "/", one.code, one.zh, one.en)
                for one in rejected.problems
            ]
        )


class NoticeKnown(Conflict):
    """Another operator loaded this version in the meantime."""

    code = "calendar_notice_known"
    zh = "该版本的节假日安排已载入。"
    en = "This version of the notice is loaded already."


def missing_years(calendar: WorkCalendar, today: date) -> list[int]:
    """Years that deadlines reach already although their notice is not loaded: the operators' alarm.

    Each November this is the next year. Deadlines are provisional meanwhile; nobody is blocked.
    """
    reached = {today.year, date.fromordinal(today.toordinal() + _REACH_DAYS).year}
    return sorted(reached - calendar.published_years)

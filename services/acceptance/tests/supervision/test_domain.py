"""The rule table of electronic supervision, threshold by threshold (standards §3.5)."""

from datetime import UTC, datetime, timedelta

import pytest

from acceptance_service.supervision.domain import (
    CardClosed,
    CardStatus,
    Period,
    PeriodKind,
    need_open,
    parse_rules,
    supervision_rules,
    triggers,
)
from gov_rules.calendars import published_calendar
from gov_rules.office_hours import end_of_day, local_date
from service_common.contracts.acceptance import CardLevel

CALENDAR = published_calendar()
START = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)  # Wednesday, 10:00 in Shanghai


def due_after(workdays: int) -> datetime:
    return end_of_day(CALENDAR.add_workdays(local_date(START), workdays).day)


def reached(period: Period) -> dict[CardLevel, str]:
    """When each level is reached, in Shanghai."""
    shanghai = timedelta(hours=8)
    return {
        one.level: (one.at + shanghai).strftime("%m-%d %H:%M")
        for one in triggers([period], supervision_rules(), CALENDAR)
    }


def test_the_table_has_every_level_of_every_rule() -> None:
    assert {rule.period for rule in supervision_rules()} == set(PeriodKind)
    assert all(set(rule.levels) == set(CardLevel) for rule in supervision_rules())


def test_total_time_warns_at_eighty_per_cent_and_cards_at_both_limits() -> None:
    period = Period(PeriodKind.FINISH, START, due_after(10), due_after(12))
    assert reached(period) == {
        CardLevel.WARNING: "07-13 00:00",  # the eighth of ten working days
        CardLevel.YELLOW: "07-16 00:00",
        CardLevel.RED: "07-18 00:00",
    }


def test_total_time_warns_at_the_latest_one_working_day_before() -> None:
    period = Period(PeriodKind.FINISH, START, due_after(3), due_after(20))
    assert reached(period)[CardLevel.WARNING] == "07-03 00:00"


def test_five_working_days_over_the_promise_are_red_whatever_the_law_allows() -> None:
    period = Period(PeriodKind.FINISH, START, due_after(2), due_after(40))
    assert reached(period)[CardLevel.RED] == "07-11 00:00"


def test_the_five_day_notice_warns_on_day_four() -> None:
    assert reached(Period(PeriodKind.INTAKE, START, due_after(5))) == {
        CardLevel.WARNING: "07-07 00:00",
        CardLevel.YELLOW: "07-09 00:00",
        CardLevel.RED: "07-14 00:00",
    }


def test_the_pre_check_warns_four_office_hours_before_its_day_is_over() -> None:
    assert reached(Period(PeriodKind.PRE_CHECK, START, due_after(1))) == {
        CardLevel.WARNING: "07-02 13:00",
        CardLevel.YELLOW: "07-03 00:00",
        CardLevel.RED: "07-07 00:00",
    }


def test_a_step_is_red_at_twice_its_limit() -> None:
    assert reached(Period(PeriodKind.STEP, START, due_after(5))) == {
        CardLevel.WARNING: "07-07 00:00",
        CardLevel.YELLOW: "07-09 00:00",
        CardLevel.RED: "07-16 00:00",
    }


def test_a_special_procedure_is_red_five_days_over_plan() -> None:
    period = Period(PeriodKind.SPECIAL_PROCEDURE, START, due_after(10))
    assert reached(period)[CardLevel.RED] == "07-23 00:00"


def test_article_44_delivery_warns_on_day_eight() -> None:
    assert reached(Period(PeriodKind.DELIVERY, START, due_after(10))) == {
        CardLevel.WARNING: "07-13 00:00",
        CardLevel.YELLOW: "07-16 00:00",
        CardLevel.RED: "07-23 00:00",
    }


@pytest.mark.parametrize("kind", list(PeriodKind))
def test_levels_only_rise(kind: PeriodKind) -> None:
    for workdays in range(1, 60):
        hard = due_after(workdays + 5)
        found = triggers([Period(kind, START, due_after(workdays), hard)], supervision_rules(), CALENDAR)
        assert [one.level for one in found] == [CardLevel.WARNING, CardLevel.YELLOW, CardLevel.RED]


def test_a_table_with_an_unknown_threshold_is_refused() -> None:
    with pytest.raises(TypeError):
        parse_rules('[[rule]]\nname="X"\nlabel="x"\nperiod="STEP"\nWARNING=[{sometime=1}]\nYELLOW=[]\nRED=[]')


@pytest.mark.parametrize("status", [CardStatus.UPHELD, CardStatus.CANCELLED])
def test_a_verified_card_is_closed(status: CardStatus) -> None:
    with pytest.raises(CardClosed):
        need_open(status)

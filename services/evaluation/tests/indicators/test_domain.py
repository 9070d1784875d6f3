"""Rates from counts."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from evaluation_service.indicators.domain import COUNTERS, Counts, Reviewed, count_of_grade, period_of
from service_common.contracts.evaluation import Grade
from service_common.db import new_id


def test_rates_with_and_without_defaults() -> None:
    counts = Counts(
        contacts=10,
        defaults=4,
        very_satisfied=2,
        basically_satisfied=1,
        dissatisfied=1,
        rectifications=1,
        rectified=1,
        rectified_on_time=1,
    )
    assert counts.active_review_rate == 0.4  # defaults are no reviews
    assert counts.good_rate == 0.75
    assert counts.good_rate_with_defaults == 0.875
    assert (counts.rectification_rate, counts.on_time_rate) == (1.0, 1.0)


def test_nothing_has_no_rate() -> None:
    nothing = Counts()
    assert {
        nothing.active_review_rate,
        nothing.good_rate,
        nothing.good_rate_with_defaults,
        nothing.rectification_rate,
        nothing.on_time_rate,
    } == {None}


@given(st.lists(st.sampled_from(list(Grade))))
def test_every_grade_is_counted_as_one_review(grades: list[Grade]) -> None:
    sums = {name: sum(getattr(count_of_grade(one), name) for one in grades) for name in COUNTERS}
    assert Counts(**sums).reviews == len(grades)


def test_a_contact_without_an_item_counts_in_two_rows() -> None:
    assert len(Reviewed("430300000000", new_id(), None, "2026-11").keys()) == 2
    assert len(Reviewed("430300000000", new_id(), "I", "2026-11").keys()) == 3


def test_a_month_is_a_local_month() -> None:
    assert period_of(datetime(2026, 11, 30, 16, tzinfo=UTC)) == "2026-12"

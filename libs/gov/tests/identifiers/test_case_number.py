"""Project numbers (GB/T 39046), bundle master numbers, query numbers."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers import (
    ExerciseLevel,
    compose_bundle_number,
    compose_project_number,
    compose_query_number,
    compose_task_code,
    parse_bundle_number,
    parse_project_number,
    parse_query_number,
)

TASK = "11430000006122244L2430107001001"
DAY = date(2026, 11, 25)


def test_gb_t_39046_a_project_number_is_code_day_and_serial_within_fifty_characters() -> None:
    number = compose_project_number(TASK, DAY, 7)
    assert number == f"{TASK}2026112500007"
    assert len(number) == 44
    parsed = parse_project_number(number)
    assert (parsed.task_code.value, parsed.day, parsed.serial) == (TASK, DAY, 7)


def test_a_project_number_of_guangdong_with_four_serial_digits_is_read() -> None:
    parsed = parse_project_number("12441500196720244T3442199806003202206230068")
    assert (parsed.day, parsed.serial) == (date(2022, 6, 23), 68)


def test_a_project_number_may_carry_a_local_code() -> None:
    task = compose_task_code("11511301008778183N", ExerciseLevel.COUNTY, "511Z07001006")
    assert parse_project_number(compose_project_number(task, DAY, 99_999)).task_code.value == task


@pytest.mark.parametrize(
    ("tail", "error"),
    [
        ("2026023000001", "project_number_date"),
        ("20261125001", "project_number_format"),
        ("20261125000000000001", "project_number_format"),
        ("", "project_number_format"),
    ],
)
def test_faulty_project_numbers_are_refused(tail: str, error: str) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        parse_project_number(TASK + tail)
    assert refusal.value.code == error


@pytest.mark.parametrize("serial", [0, 100_000])
def test_a_project_number_is_never_written_with_a_serial_out_of_its_width(serial: int) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        compose_project_number(TASK, DAY, serial)
    assert refusal.value.code == "serial_exhausted"


def test_a_bundle_number_is_read_back_from_its_parts() -> None:
    number = compose_bundle_number("430104000000", DAY, 12)
    assert number == "YJS43010420261125000012"
    parsed = parse_bundle_number(number)
    assert (parsed.division, parsed.day, parsed.serial) == ("430104", DAY, 12)


@pytest.mark.parametrize(
    ("number", "error"),
    [
        ("YJS4301042026112500001", "bundle_number_format"),
        ("YJS43010420261325000012", "bundle_number_date"),
        ("YJS99010420261125000012", "area_code_province"),
    ],
)
def test_faulty_bundle_numbers_are_refused(number: str, error: str) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        parse_bundle_number(number)
    assert refusal.value.code == error


def test_a_query_number_is_thirteen_digits_and_may_be_typed_with_blanks() -> None:
    number = compose_query_number(DAY, 42)
    assert len(number) == 13
    assert number.startswith("261125000042")
    assert parse_query_number(f"{number[:6]} {number[6:]}") == number


@pytest.mark.parametrize(
    ("number", "error"),
    [("26112500004", "query_number_format"), ("26112500004X2", "query_number_format")],
)
def test_a_query_number_of_wrong_shape_is_refused(number: str, error: str) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        parse_query_number(number)
    assert refusal.value.code == error


def test_a_query_number_with_a_day_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        parse_query_number("261301000000" + luhn.calc_check_digit("261301000000"))
    assert refusal.value.code == "query_number_date"


@given(st.integers(0, 999_999), st.integers(0, 12), st.sampled_from("0123456789"))
def test_luhn_detects_every_substitution_of_one_digit(body: int, place: int, digit: str) -> None:
    number = compose_query_number(DAY, body)
    changed = number[:place] + digit + number[place + 1 :]
    if changed != number:
        with pytest.raises(InvalidIdentifier):
            parse_query_number(changed)

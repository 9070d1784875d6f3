"""Ticket numbers of the 12345 hotline."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers import compose_ticket_number, parse_ticket_number

DAY = date(2026, 11, 25)


def test_a_ticket_number_is_nineteen_digits_and_is_read_back() -> None:
    number = compose_ticket_number("430104", DAY, 3)
    assert len(number) == 19
    assert number.startswith("430104261125000003")
    parsed = parse_ticket_number(number)
    assert (parsed.division, parsed.day, parsed.serial, parsed.part) == ("430104", DAY, 3, None)


def test_a_part_for_a_second_handling_unit_adds_two_digits() -> None:
    number = compose_ticket_number("430104000000", DAY, 3, part=2)
    assert number.endswith("-02")
    assert parse_ticket_number(number).part == 2


@pytest.mark.parametrize(
    ("number", "error"),
    [
        ("430104261125000003", "ticket_number_format"),
        ("4301042611250000030", "ticket_number_check"),
        ("GD30104261125000003", "ticket_number_format"),
    ],
)
def test_faulty_ticket_numbers_are_refused(number: str, error: str) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        parse_ticket_number(number)
    assert refusal.value.code == error


def test_part_zero_does_not_exist() -> None:
    with pytest.raises(InvalidIdentifier):
        parse_ticket_number(compose_ticket_number("430104", DAY, 3) + "-00")


@pytest.mark.parametrize(("serial", "part"), [(0, None), (1_000_000, None), (1, 100), (1, 0)])
def test_a_number_is_never_written_out_of_its_width(serial: int, part: int | None) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        compose_ticket_number("430104", DAY, serial, part=part)
    assert refusal.value.code == "serial_exhausted"


@given(st.integers(1, 999_999), st.integers(0, 18), st.sampled_from("0123456789"))
def test_luhn_detects_every_substitution_of_one_digit(serial: int, place: int, digit: str) -> None:
    number = compose_ticket_number("430104", DAY, serial)
    changed = number[:place] + digit + number[place + 1 :]
    if changed != number:
        with pytest.raises(InvalidIdentifier):
            parse_ticket_number(changed)

"""GB 11643 公民身份号码 and the documents that share its form."""

from contextlib import suppress
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_rules.divisions import PROVINCE_PREFIXES, DivisionLevel, all_divisions
from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers import IdentityKind, Sex, complete_identity_number, parse_identity_number


@pytest.mark.parametrize(
    ("number", "birth_date", "sex"),
    [
        ("11010519491231002X", date(1949, 12, 31), Sex.FEMALE),  # the standard's own example
        ("440524188001010014", date(1880, 1, 1), Sex.MALE),  # the standard's own example
        ("430102189912310029", date(1899, 12, 31), Sex.FEMALE),
    ],
)
def test_gb_11643_examples_are_valid_and_tell_birth_date_and_sex(
    number: str, birth_date: date, sex: Sex
) -> None:
    parsed = parse_identity_number(number)
    assert (parsed.value, parsed.kind) == (number, IdentityKind.RESIDENT)
    assert (parsed.birth_date, parsed.sex) == (birth_date, sex)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("110105194912310021", "identity_number_check"),
        ("110105194902300020", "identity_number_birth_date"),
        ("1101051949123100X2", "identity_number_format"),
        ("990101199003070015", "identity_number_province"),
        ("110105491231002", "identity_number_fifteen_digits"),
        ("11010519491231002", "identity_number_length"),
        ("１１０１０５１９４９１２３１００２Ｘ", "identity_number_format"),
        ("", "identity_number_length"),
    ],
)
def test_gb_11643_faults_are_refused_each_with_its_own_code(number: str, code: str) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        parse_identity_number(number)
    assert refusal.value.code == code


def test_a_lower_case_x_is_accepted_and_stored_upper_case() -> None:
    assert parse_identity_number(" 11010519491231002x ").value == "11010519491231002X"


def test_a_retired_county_code_stays_valid_because_people_keep_their_number() -> None:
    number = complete_identity_number("43999918991231002")
    assert parse_identity_number(number).kind is IdentityKind.RESIDENT


def test_prefix_99_is_valid_for_fixtures_only() -> None:
    assert parse_identity_number("990101199003070015", allow_fixture_prefix=True).sex is Sex.MALE


def test_a_birth_after_the_day_of_reading_is_refused() -> None:
    number = complete_identity_number("99010120300101001")
    assert parse_identity_number(number, allow_fixture_prefix=True).birth_date == date(2030, 1, 1)
    with pytest.raises(InvalidIdentifier, match="future"):
        parse_identity_number(number, on=date(2026, 11, 22), allow_fixture_prefix=True)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("81000018991231002", IdentityKind.HONG_KONG_RESIDENT),
        ("82000018991231002", IdentityKind.MACAO_RESIDENT),
        ("83000018991231002", IdentityKind.TAIWAN_RESIDENT),
        ("93184018991231002", IdentityKind.FOREIGN_PERMANENT_RESIDENT),  # Shanghai, 840 United States
    ],
)
def test_residence_permits_and_the_2023_card_of_foreigners_share_the_form(
    body: str, kind: IdentityKind
) -> None:
    assert parse_identity_number(complete_identity_number(body)).kind is kind


@pytest.mark.parametrize(
    "body", ["81010118991231002", "83010018991231002", "91684018991231002", "93100018991231002"]
)
def test_no_resident_has_a_number_from_an_area_that_issues_none(body: str) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        parse_identity_number(complete_identity_number(body))
    assert refusal.value.code == "identity_number_province"


def test_province_prefixes_are_those_of_the_gb_t_2260_table() -> None:
    provinces = {row.code[:2] for row in all_divisions() if row.level is DivisionLevel.PROVINCE}
    assert provinces == PROVINCE_PREFIXES


def test_neither_errors_nor_reprs_carry_the_number_or_the_birth_date() -> None:
    number = "110105194912310021"
    with pytest.raises(InvalidIdentifier) as refusal:
        parse_identity_number(number)
    shown = repr(refusal.value) + refusal.value.zh + refusal.value.en
    shown += repr(parse_identity_number("11010519491231002X"))
    assert "1949" not in shown
    assert "110105" not in shown


def test_completing_anything_but_seventeen_digits_is_refused() -> None:
    with pytest.raises(InvalidIdentifier):
        complete_identity_number("1101051949123100X")


@st.composite
def fixture_numbers(draw: st.DrawFn) -> str:
    born = draw(st.dates(date(1900, 1, 1), date(2026, 1, 1)))
    county, sequence = draw(st.integers(0, 9999)), draw(st.integers(0, 999))
    return complete_identity_number(f"99{county:04d}{born:%Y%m%d}{sequence:03d}")


@given(fixture_numbers(), st.integers(0, 17), st.sampled_from("0123456789X"))
def test_mod_11_2_detects_every_substitution_of_one_character(
    number: str, place: int, character: str
) -> None:
    changed = number[:place] + character + number[place + 1 :]
    if changed != number:
        with pytest.raises(InvalidIdentifier):
            parse_identity_number(changed, allow_fixture_prefix=True)


@given(fixture_numbers(), st.integers(0, 16))
def test_mod_11_2_detects_every_swap_of_neighbours(number: str, place: int) -> None:
    changed = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if changed != number:
        with pytest.raises(InvalidIdentifier):
            parse_identity_number(changed, allow_fixture_prefix=True)


@given(st.text(max_size=30))
def test_any_text_is_either_read_or_refused_as_an_invalid_identifier(text: str) -> None:
    with suppress(InvalidIdentifier):
        assert len(parse_identity_number(text).value) == 18

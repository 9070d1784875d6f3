"""Masked forms of personal data (个人信息保护法 art. 6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_rules.identifiers import mask_identity_number, mask_name, mask_phone


@pytest.mark.parametrize(
    ("value", "shown"),
    [("430102189912310029", "430*************29"), ("1234567", "*******"), ("", "")],
)
def test_an_identity_number_shows_three_and_two_characters(value: str, shown: str) -> None:
    assert mask_identity_number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("19900001234", "199****1234"),
        ("+86 199 0000 1234", "199****1234"),
        ("0731-88881234", "073*****1234"),
        ("88881234", "******34"),
        ("12345", "*****"),
    ],
)
def test_a_phone_number_shows_its_ends_only(value: str, shown: str) -> None:
    assert mask_phone(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("王小麦", "王**"),
        ("张三", "张*"),
        ("买买提·艾力", "买**·**"),
        ("Anna Smith", "A*** S****"),
        ("王", "王"),
        ("", ""),
    ],
)
def test_a_name_shows_its_first_character(value: str, shown: str) -> None:
    assert mask_name(value) == shown


@given(st.text("0123456789X", min_size=1, max_size=30))
def test_at_least_four_characters_of_a_number_are_always_hidden(value: str) -> None:
    for shown in (mask_identity_number(value), mask_phone(value)):
        assert shown.count("*") >= min(4, len(shown))

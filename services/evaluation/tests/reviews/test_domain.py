"""Grades, codes, reasons and screening."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation_service.reviews.domain import (
    Coding,
    OwnDepartment,
    UnknownGradeCode,
    WrongReasons,
    check_reasons,
    check_reviewer,
    grade_from_code,
    grade_to_code,
    is_bad,
    reasons_of,
    screen,
)
from evaluation_service.reviews.reasons import REASONS
from service_common.contracts.evaluation import Grade
from service_common.db import new_id

BOTH_CODINGS = [
    (Grade.VERY_SATISFIED, 5, 1),
    (Grade.SATISFIED, 4, 2),
    (Grade.BASICALLY_SATISFIED, 3, 3),
    (Grade.DISSATISFIED, 2, 4),
    (Grade.VERY_DISSATISFIED, 1, 5),
]


@pytest.mark.parametrize(("grade", "stars", "gb"), BOTH_CODINGS)
def test_the_two_codings_are_opposite(grade: Grade, stars: int, gb: int) -> None:
    assert grade_to_code(grade, Coding.STARS) == stars
    assert grade_to_code(grade, Coding.GB_T_39046) == gb
    assert grade_from_code(stars, Coding.STARS) is grade
    assert grade_from_code(gb, Coding.GB_T_39046) is grade


@pytest.mark.parametrize("code", [0, 6, -1])
@pytest.mark.parametrize("coding", list(Coding))
def test_other_numbers_are_no_grade(code: int, coding: Coding) -> None:
    with pytest.raises(UnknownGradeCode):
        grade_from_code(code, coding)


def test_the_last_two_grades_are_bad() -> None:
    assert {grade for grade in Grade if is_bad(grade)} == {Grade.DISSATISFIED, Grade.VERY_DISSATISFIED}


@given(st.sampled_from(list(Grade)), st.lists(st.sampled_from(sorted(REASONS)), max_size=8))
def test_reasons_begin_with_the_stars_of_the_grade(grade: Grade, codes: list[str]) -> None:
    stars = str(grade_to_code(grade, Coding.STARS))
    fits = all(code[0] == stars for code in codes) and len(set(codes)) == len(codes)
    if fits:
        check_reasons(grade, codes)
    else:
        with pytest.raises(WrongReasons):
            check_reasons(grade, codes)


def test_every_reason_belongs_to_one_grade() -> None:
    assert sum(len(reasons_of(grade)) for grade in Grade) == len(REASONS) == 40


def test_a_retired_code_is_refused_and_pointed_at() -> None:
    with pytest.raises(WrongReasons) as refused:
        check_reasons(Grade.VERY_DISSATISFIED, ["115", "101"])
    assert [one.pointer for one in refused.value.fields] == ["/reasons/1"]


def test_nobody_reviews_the_own_department() -> None:
    own = new_id()
    check_reviewer(None, own)
    check_reviewer(new_id(), own)
    with pytest.raises(OwnDepartment):
        check_reviewer(own, own)


@pytest.mark.parametrize(
    "personal",
    [
        "19900001234",
        "199 0000 1234",
        "199-0000-1234",
        "１９９００００１２３４",
        "99030118990101001X",
        "990301 18990101 0014",
        "6222 0000 1111 2222 333",
        "0731-88888888",
        "wang@example.com",
        "湘C12345",
    ],
)
def test_personal_numbers_are_screened(personal: str) -> None:
    shown = screen(f"请联系我{personal}，窗口跑了3趟，等了2小时。")
    assert personal not in shown
    assert "窗口跑了3趟，等了2小时。" in shown


@pytest.mark.parametrize("plain", ["2026年11月22日去了3次", "排队等了120分钟", "收费500元", "12345热线"])
def test_ordinary_numbers_stay(plain: str) -> None:
    assert screen(plain) == plain


@given(st.text(alphabet="跑了0123456789-  Xx三趟", max_size=60))
def test_no_text_keeps_seven_digits_in_a_row(text: str) -> None:
    digits = 0
    for character in screen(text):
        digits = digits + 1 if character.isdigit() else 0
        assert digits < 7

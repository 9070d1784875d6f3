"""What a review may say, and how others write it down. Pure.

Source: standards §6.2 (grades and their two codings), §6.4 (reason codes), §6.5 (publication), §6.7 (anti-cheating).
"""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from uuid import UUID

from evaluation_service.reviews.reasons import REASONS
from service_common.contracts.evaluation import Grade
from service_common.errors import FieldProblem, Forbidden, Invalid, NotFound

MOST_REASONS = 8

GRADE_LABELS: Mapping[Grade, str] = {
    Grade.VERY_SATISFIED: "非常满意",
    Grade.SATISFIED: "满意",
    Grade.BASICALLY_SATISFIED: "基本满意",
    Grade.DISSATISFIED: "不满意",
    Grade.VERY_DISSATISFIED: "非常不满意",
}
_BAD = frozenset({Grade.DISSATISFIED, Grade.VERY_DISSATISFIED})
_FROM_BEST = tuple(GRADE_LABELS)


class Coding(StrEnum):
    """The two opposite number codings of grades that are in use."""

    STARS = "STARS"  # the good-review interface and its terminals: 5 is 非常满意
    GB_T_39046 = "GB_T_39046"  # table A.8 of the standard: 1 is 非常满意


class NoSuchReview(NotFound):
    """It does not exist, or is somebody else's."""

    code = "no_such_review"
    zh = "没有找到该评价。"
    en = "There is no such review."


class UnknownGradeCode(Invalid):
    """Codes run from 1 to 5."""

    code = "grade_code_unknown"
    zh = "评价等级代码应为 1 至 5。"
    en = "A grade code runs from 1 to 5."


class WrongReasons(Invalid):
    """A reason that is not of the grade, not in the set in use, or given twice."""

    code = "review_reasons_invalid"
    zh = "评价指标与评价等级不符。"
    en = "The reasons do not fit the grade."


class OwnDepartment(Forbidden):
    """Who works for a department does not review it."""

    code = "own_department"
    zh = "不能评价本部门的服务。"
    en = "Nobody reviews the own department."


def grade_from_code(code: int, coding: Coding) -> Grade:
    """The grade behind a number of another system. Raises: UnknownGradeCode."""
    if not 1 <= code <= len(_FROM_BEST):
        raise UnknownGradeCode
    return _FROM_BEST[code - 1 if coding is Coding.GB_T_39046 else len(_FROM_BEST) - code]


def grade_to_code(grade: Grade, coding: Coding) -> int:
    """The number that another system expects for a grade."""
    place = _FROM_BEST.index(grade)
    return place + 1 if coding is Coding.GB_T_39046 else len(_FROM_BEST) - place


def is_bad(grade: Grade) -> bool:
    """差评: it opens a rectification."""
    return grade in _BAD


def reasons_of(grade: Grade) -> Mapping[str, str]:
    """The reason codes that go with a grade: their first digit is its number of stars."""
    stars = str(grade_to_code(grade, Coding.STARS))
    return {code: meaning for code, meaning in REASONS.items() if code.startswith(stars)}


def check_reasons(grade: Grade, codes: Sequence[str]) -> None:
    """Raises: WrongReasons, pointing at each code that does not fit."""
    allowed = reasons_of(grade)
    problems = [
        FieldProblem(
            f"/reasons/{place}",
            "reason_code",
            f"代码 {code} 不适用于该等级。",
            f"{code} is not of this grade.",
        )
        for place, code in enumerate(codes)
        if code not in allowed or code in codes[:place]
    ]
    if problems:
        raise WrongReasons(fields=problems)


def check_reviewer(reviewer_department: UUID | None, department: UUID) -> None:
    """Raises: OwnDepartment."""
    if reviewer_department is not None and reviewer_department == department:
        raise OwnDepartment


_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
# Digits with the separators people put between them: identity numbers, bank cards, mobile and fixed phones, chat numbers.
_NUMBER = re.compile(r"\d(?:[\s\-–—.,，、]{0,2}\d){5,}[\s\-]?[Xx]?")
_LICENCE_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-Z][\s·.]?[A-Z0-9]{5,6}"
)


def screen(text: str) -> str:
    """A text as it may be published: without numbers of people, addresses of mail, and plates."""
    for pattern in (_MAIL, _LICENCE_PLATE, _NUMBER):
        text = pattern.sub("＊＊＊", text)
    return text

"""Divisions as callers name them."""

from gov_rules.divisions import to_area_code
from gov_rules.errors import InvalidIdentifier
from service_common.errors import FieldProblem, Invalid


class BadDivision(Invalid):
    """Not an area code of a province of this country."""

    code = "bad_division"
    zh = "行政区划代码 {division} 无效。"
    en = "{division} is no code of an administrative division."


def read_division(text: str) -> str:
    """The twelve-digit area code of 6, 9 or 12 digits. Raises: BadDivision."""
    try:
        return to_area_code(text)
    except InvalidIdentifier as error:
        raise BadDivision(
            division=text, fields=[FieldProblem("/division", error.code, error.zh, error.en)]
        ) from error

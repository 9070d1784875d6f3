"""Dates inside numbers."""

from datetime import date

from gov_rules.errors import InvalidIdentifier


def read_embedded_date(digits: str, *, code: str) -> date:
    """The day written as eight digits yyyyMMdd; ``code`` names the number that carries it.

    Raises: InvalidIdentifier when there is no such day.
    """
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise InvalidIdentifier(
            code, zh="编号中的日期不存在。", en="The date in the number does not exist."
        ) from None

"""Codes that the catalogue makes up or takes apart: synthetic credit codes and the portal's item codes."""

import re

from stdnum.cn import uscc as credit_code

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_ORGANISATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)

# Sichuan's implementing code: basic part, division, town, credit code of the implementing body, version, handling.
_SICHUAN_CODE = re.compile(
    r"(?P<basic>[0-9A-Z]{12}|[0-9A-Z]{14}|[A-Z]-\d{6}-\d{3})-\d{12}-\d{3}-(?P<uscc>[0-9A-Z]{18})-\d-\d{2}"
)


def _organisation_check(body: str) -> str:
    """Check character of an organisation code. Source: GB 11714."""
    total = sum(int(char, 36) * weight for char, weight in zip(body, _ORGANISATION_WEIGHTS, strict=True))
    check = 11 - total % 11
    return {10: "X", 11: "0"}.get(check, str(check))


def synthetic_credit_code(division: str, number: int) -> str:
    """A credit code that no organ can hold: its division digits begin with 99. Source: GB 32100-2015."""
    organisation = f"LB{number:06d}"
    body = f"1199{division[2:6]}{organisation}{_organisation_check(organisation)}"
    total = sum(_ALPHABET.index(char) * weight for char, weight in zip(body, _CREDIT_WEIGHTS, strict=True))
    return body + _ALPHABET[-total % 31]


def split_sichuan_code(code: str) -> tuple[str, str] | None:
    """Basic part and credit code of a Sichuan item code, or None when the code does not prove its shape."""
    match = _SICHUAN_CODE.fullmatch(code)
    if match is None or not credit_code.is_valid(match["uscc"]):
        return None
    return match["basic"], match["uscc"]

"""Masked forms of personal data for lists, receipts and screens.

Source: 个人信息保护法 art. 6 (least scope) and GB/T 35273-2020 §7.2 (restrict what is displayed). Each function
takes whatever was stored, valid or not, and never shows more of an odd value than of a regular one.
"""

import re

_STAR = "*"


def mask_identity_number(value: str) -> str:
    """Province digit pair and county's first, and the last two: ``430*************29``.

    The customary last four would tell sequence and sex, and often serve as a weak password.
    """
    return _mask_middle(value.strip(), head=3, tail=2)


def mask_phone(value: str) -> str:
    """A mobile number as ``138****1234``, with its country prefix dropped; shorter numbers keep their last two."""
    digits = re.sub(r"^(?:\+|00)86|[\s-]", "", value.strip())
    if len(digits) >= 11:
        return _mask_middle(digits, head=3, tail=4)
    return _mask_middle(digits, head=0, tail=2)


def mask_name(value: str) -> str:
    """The first character of a name, and of every word of a Latin one: ``王**``, ``A*** S****``."""
    return re.sub(r"(?<!\S)(\S)(\S*)", lambda word: word[1] + _hide_letters(word[2]), value.strip())


def _hide_letters(rest: str) -> str:
    return "".join(character if character in "·•-" else _STAR for character in rest)


def _mask_middle(value: str, *, head: int, tail: int) -> str:
    hidden = len(value) - head - tail
    if hidden < 4:
        return _STAR * len(value)
    return value[:head] + _STAR * hidden + value[len(value) - tail :]

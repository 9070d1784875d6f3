"""Codes of service items 政务服务事项: basic catalogue code (12), implementation code (31), handling item code (33).

Source: GB/T 39554.1-2020 (earlier ZWFW C0109.1-2018); item types and exercise levels GB/T 39046-2020 A.1, A.2.

Provinces still use codes of their own shape. A code is taken apart only after it proved to be of the national
form; every other one is a `LocalItemCode`, kept as it came.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers.credit_code import CreditCode, parse_credit_code

_CATALOGUE_SHAPE = re.compile(r"[0-9]{2}(?:0[1-9]|1[0-9]|2[0-9])[0-9]{8}")
_TAIL_SHAPE = re.compile(r"[0-9A-Z]{12}")
_LOCAL_SHAPE = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z._-]*[0-9A-Za-z])?")
# The exchange tables give local codes 50 characters; Sichuan's published ones have up to 55.
LOCAL_CODE_LIMIT = 64


class ItemType(StrEnum):
    """Item types with a national meaning; 11-19 and 21-29 are extensions (GB/T 39046 A.1)."""

    PERMIT = "01"
    PENALTY = "02"
    COERCION = "03"
    LEVY = "04"
    PAYMENT = "05"
    INSPECTION = "06"
    CONFIRMATION = "07"
    REWARD = "08"
    ADJUDICATION = "09"
    OTHER_POWER = "10"
    PUBLIC_SERVICE = "20"


class ExerciseLevel(IntEnum):
    """Level of government that exercises the item 行使层级 (GB/T 39046 A.2)."""

    NATION = 1
    PROVINCE = 2
    CITY = 3
    COUNTY = 4
    TOWNSHIP = 5
    VILLAGE = 6
    SHARED = 7


@dataclass(frozen=True, slots=True)
class CatalogueCode:
    """Basic catalogue code 基本编码; ``region`` is 00 for a national item, else a province prefix."""

    value: str

    @property
    def region(self) -> str:
        """00 or the two digits of the province that set the item."""
        return self.value[:2]

    @property
    def item_type(self) -> str:
        """Two digits, see `ItemType`; extensions have no name here."""
        return self.value[2:4]

    @property
    def department(self) -> str:
        """Number of the department in the catalogue."""
        return self.value[4:6]

    @property
    def main_item(self) -> str:
        """Number of the main item 主项."""
        return self.value[6:9]

    @property
    def sub_item(self) -> str | None:
        """Number of the sub-item 子项, or None where the item has none (000)."""
        return None if self.value[9:] == "000" else self.value[9:]


@dataclass(frozen=True, slots=True)
class TaskCode:
    """Implementation code 实施编码; ``catalogue_code`` is None when its last twelve are a province's own."""

    value: str
    implementing_body: CreditCode
    level: ExerciseLevel
    catalogue_code: CatalogueCode | None


@dataclass(frozen=True, slots=True)
class HandlingItemCode:
    """Handling item code 业务办理项编码: one implementation code and a sequence 1-99."""

    value: str
    task_code: TaskCode
    sequence: int


@dataclass(frozen=True, slots=True)
class LocalItemCode:
    """A code of a local scheme. Opaque: nothing may be concluded from its characters."""

    value: str


ItemCode = CatalogueCode | TaskCode | HandlingItemCode | LocalItemCode


def parse_catalogue_code(text: str) -> CatalogueCode:
    """Read a basic catalogue code of 12 digits.

    Raises: InvalidIdentifier.
    """
    value = text.strip()
    if not _CATALOGUE_SHAPE.fullmatch(value):
        raise InvalidIdentifier(
            "catalogue_code_format",
            zh="事项基本编码应为 12 位数字，其中第 3、4 位为事项类型。",
            en="A basic catalogue code is 12 digits with an item type in the third and fourth.",
        )
    return CatalogueCode(value)


def parse_task_code(text: str, *, allow_local_tail: bool = False) -> TaskCode:
    """Read an implementation code of 31 characters with the implementing body's USCC inside.

    ``allow_local_tail`` admits a province's own 12 characters where the national basic code stands.

    Raises: InvalidIdentifier.
    """
    value = text.strip().upper()
    if len(value) != 31:
        raise InvalidIdentifier(
            "task_code_length",
            zh="事项实施编码应为 31 位。",
            en="An implementation code has 31 characters.",
        )
    body = parse_credit_code(value[:18])
    level = _level_of(value[18])
    tail = value[19:]
    if _CATALOGUE_SHAPE.fullmatch(tail):
        return TaskCode(value, body, level, CatalogueCode(tail))
    if allow_local_tail and _TAIL_SHAPE.fullmatch(tail):
        return TaskCode(value, body, level, None)
    raise InvalidIdentifier(
        "task_code_catalogue",
        zh="事项实施编码后 12 位不是有效的基本编码。",
        en="The last 12 characters of the implementation code are no basic catalogue code.",
    )


def compose_task_code(implementing_body: str, level: ExerciseLevel, basic_code: str) -> str:
    """Build an implementation code; ``basic_code`` is the national basic code or 12 characters of a local one."""
    return parse_task_code(f"{implementing_body}{level:d}{basic_code}", allow_local_tail=True).value


def parse_handling_item_code(text: str, *, allow_local_tail: bool = False) -> HandlingItemCode:
    """Read a handling item code of 33 characters.

    Raises: InvalidIdentifier.
    """
    value = text.strip().upper()
    if len(value) != 33:
        raise InvalidIdentifier(
            "handling_item_code_length",
            zh="业务办理项编码应为 33 位。",
            en="A handling item code has 33 characters.",
        )
    if not re.fullmatch(r"0[1-9]|[1-9][0-9]", value[31:]):
        raise InvalidIdentifier(
            "handling_item_code_sequence",
            zh="业务办理项编码末两位应为 01 至 99。",
            en="The last two characters of a handling item code run from 01 to 99.",
        )
    return HandlingItemCode(
        value, parse_task_code(value[:31], allow_local_tail=allow_local_tail), int(value[31:])
    )


def read_item_code(text: str) -> ItemCode:
    """Recognise a national form, or keep the code as an opaque local one.

    Raises: InvalidIdentifier only when the text could be no code at all.
    """
    value = text.strip()
    with suppress(InvalidIdentifier):  # a local code may have a national length by chance
        return _parse_national(value)
    if len(value) > LOCAL_CODE_LIMIT or not _LOCAL_SHAPE.fullmatch(value):
        raise InvalidIdentifier(
            "item_code_format",
            zh=f"事项编码应由字母、数字和连字符组成，不超过 {LOCAL_CODE_LIMIT} 个字符。",
            en=f"An item code is letters, digits and hyphens, at most {LOCAL_CODE_LIMIT} characters.",
        )
    return LocalItemCode(value)


def _parse_national(value: str) -> CatalogueCode | TaskCode | HandlingItemCode:
    if len(value) == 12:
        return parse_catalogue_code(value)
    if len(value) == 31:
        return parse_task_code(value)
    return parse_handling_item_code(value)


def _level_of(character: str) -> ExerciseLevel:
    if character not in "1234567":
        raise InvalidIdentifier(
            "task_code_level",
            zh="事项实施编码第 19 位（行使层级）应为 1 至 7。",
            en="The exercise level in the 19th place of an implementation code runs from 1 to 7.",
        )
    return ExerciseLevel(int(character))

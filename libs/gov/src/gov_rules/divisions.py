"""Administrative divisions 行政区划: the table to county, area codes of platforms, and who lies within whom.

Source: GB/T 2260 (six digits), GB/T 10114 (nine), the twelve-digit area code of government platforms. The table is
package data, see data/README.md for its edition and flaws.

Questions of structure (`is_within`, `parse_area_code`) are answered from the digits alone, so that codes newer
or older than the table, and the invented codes of development zones, work. Names need the table.
"""

import csv
import re
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache
from importlib import resources

from gov_rules.errors import InvalidIdentifier

TABLE_EDITION = "2023-06-30"
NATION = "100000000000"

# Provinces were added (46, 50, 81, 82), and no prefix was ever withdrawn.
_ALLOTTED = (
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82"
)
PROVINCE_PREFIXES = frozenset(_ALLOTTED.split())
_OWN_LEVEL = "999"


class DivisionLevel(IntEnum):
    """Level of a division; the numbers are those of the exercise level 行使层级 (GB/T 39046 A.2)."""

    NATION = 1
    PROVINCE = 2
    CITY = 3
    COUNTY = 4
    TOWNSHIP = 5
    VILLAGE = 6


class DivisionKind(StrEnum):
    """What a row of the table stands for."""

    ADMINISTRATIVE = "ADMINISTRATIVE"
    GROUPING = "GROUPING"  # 市辖区, 省直辖县级行政区划: a heading of the statistics, nobody governs it
    VIRTUAL = "VIRTUAL"  # development zones, which GB/T 2260 does not have


_DIGITS_OF_LEVEL = {
    DivisionLevel.NATION: 0,
    DivisionLevel.PROVINCE: 2,
    DivisionLevel.CITY: 4,
    DivisionLevel.COUNTY: 6,
    DivisionLevel.TOWNSHIP: 9,
    DivisionLevel.VILLAGE: 12,
}


@dataclass(frozen=True, slots=True)
class Division:
    """One row. The key is (code, level): 441900, 442000 and 460400 are a city and its only county at once."""

    code: str
    level: DivisionLevel
    name: str
    kind: DivisionKind
    parent_code: str | None


@dataclass(frozen=True, slots=True)
class AreaCode:
    """A twelve-digit area code 区划代码 as platforms exchange it.

    ``is_own_level`` marks the 999 of portals: 430104999000 is the district's own offices 岳麓区本级, without its
    streets and towns.
    """

    value: str
    level: DivisionLevel
    is_own_level: bool

    @property
    def division(self) -> str:
        """The six digits of GB/T 2260, at most a county."""
        return self.value[:6]

    @property
    def is_nation(self) -> bool:
        """Whether it means the whole country."""
        return self.level is DivisionLevel.NATION


def parse_area_code(text: str) -> AreaCode:
    """Read an area code of 6, 9 or 12 digits and bring it to 12. It need not be in the table.

    Raises: InvalidIdentifier.
    """
    value = text.strip()
    if not re.fullmatch(r"[0-9]{6}(?:[0-9]{3}){0,2}", value):
        raise InvalidIdentifier(
            "area_code_format",
            zh="行政区划代码应为 6 位、9 位或 12 位数字。",
            en="An area code has 6, 9 or 12 digits.",
        )
    value = value.ljust(12, "0")
    if value in {NATION, "000000000000"}:
        return AreaCode(NATION, DivisionLevel.NATION, is_own_level=False)
    if value[:2] not in PROVINCE_PREFIXES:
        raise InvalidIdentifier(
            "area_code_province",
            zh="行政区划代码前两位不是有效的省级代码。",
            en="The area code begins with a province code that is not allotted.",
        )
    return AreaCode(value, _level_of(value), is_own_level=value[6:9] == _OWN_LEVEL)


def to_area_code(text: str) -> str:
    """Bring a code of 6, 9 or 12 digits to twelve.

    Raises: InvalidIdentifier.
    """
    return parse_area_code(text).value


def to_division_code(text: str) -> str:
    """The six digits of the division in which an area lies, at most a county.

    Raises: InvalidIdentifier.
    """
    return parse_area_code(text).division


def is_within(code: str, ancestor: str) -> bool:
    """Whether an area is the other one or lies inside it; answered from the digits alone.

    A district's own level (…999000) lies within the district, and contains nothing but itself.

    Raises: InvalidIdentifier.
    """
    return parse_area_code(code).value.startswith(code_prefix(ancestor))


def code_prefix(ancestor: str) -> str:
    """What the twelve-digit codes of all areas within one begin with: `is_within` for a query on stored codes.

    Empty for the nation. Raises: InvalidIdentifier.
    """
    area = parse_area_code(ancestor)
    return area.value[: 9 if area.is_own_level else _DIGITS_OF_LEVEL[area.level]]


def find_division(code: str, level: DivisionLevel | None = None) -> Division | None:
    """The table's row for the six digits of a code; without ``level`` the highest one of that code.

    Raises: InvalidIdentifier when the code is malformed.
    """
    rows = _table().get(to_division_code(code), ())
    return next((row for row in rows if level is None or row.level is level), None)


def get_division(code: str, level: DivisionLevel | None = None) -> Division:
    """As `find_division`, for callers who need one.

    Raises: InvalidIdentifier when the code is malformed or not in the table.
    """
    division = find_division(code, level)
    if division is None:
        raise InvalidIdentifier(
            "division_unknown",
            zh="行政区划代码不在现行行政区划表中。",
            en="There is no such division in the table.",
        )
    return division


def parent_of(division: Division) -> Division | None:
    """The division that governs this one; a directly administered county 省直辖县 belongs to its province."""
    parent = _row_above(division)
    while parent is not None and parent.kind is DivisionKind.GROUPING:
        parent = _row_above(parent)
    return parent


def ancestors_of(code: str) -> tuple[Division, ...]:
    """The divisions of the table that contain an area, nearest first; the area itself is not among them.

    For a township or village the first is its county.

    Raises: InvalidIdentifier when the code is malformed or its division is not in the table.
    """
    area = parse_area_code(code)
    if area.is_nation:
        return ()
    below_county = area.level > DivisionLevel.COUNTY
    division = _lowest_division(area.division) if below_county else get_division(area.value)
    chain = [division] if below_county else []
    parent = parent_of(division)
    while parent is not None:
        chain.append(parent)
        parent = parent_of(parent)
    return tuple(chain)


def children_of(code: str) -> tuple[Division, ...]:
    """The divisions governed directly by one of six digits, headings left out: 湖北省 has 仙桃市 among its cities.

    Raises: InvalidIdentifier when the code is malformed or not in the table.
    """
    parent = get_division(code)
    return _children().get((parent.code, parent.level), ())


def name_path(code: str) -> tuple[str, ...]:
    """Names from the province down to the area's county, e.g. 湖南省, 长沙市, 岳麓区; no headings, no repetition.

    Raises: InvalidIdentifier when the code is malformed or its division is not in the table.
    """
    area = parse_area_code(code)
    if area.is_nation:
        return ("全国",)
    above = [row.name for row in reversed(ancestors_of(code))]
    if area.level <= DivisionLevel.COUNTY:
        above.append(get_division(code).name)
    return tuple(dict.fromkeys(above))


def all_divisions() -> tuple[Division, ...]:
    """Every row of the table, provinces first."""
    return tuple(row for rows in _table().values() for row in rows)


def _level_of(value: str) -> DivisionLevel:
    if value[9:] != "000" and value[6:9] != _OWN_LEVEL:
        return DivisionLevel.VILLAGE
    if value[6:9] not in {"000", _OWN_LEVEL}:
        return DivisionLevel.TOWNSHIP
    if value[4:6] != "00":
        return DivisionLevel.COUNTY
    return DivisionLevel.CITY if value[2:4] != "00" else DivisionLevel.PROVINCE


def _lowest_division(code: str) -> Division:
    return find_division(code, DivisionLevel.COUNTY) or get_division(code)


def _row_above(division: Division) -> Division | None:
    if division.parent_code is None:
        return None
    rows = _table()[division.parent_code]
    return next(row for row in rows if row.level == division.level - 1)


@cache
def _table() -> dict[str, tuple[Division, ...]]:
    """Rows by code, each code's rows from the highest level down."""
    table: dict[str, tuple[Division, ...]] = {}
    text = (resources.files("gov_rules") / "data" / "divisions.csv").read_text(encoding="utf-8")
    for record in csv.DictReader(text.splitlines()):
        row = Division(
            code=record["code"],
            level=DivisionLevel[record["level"]],
            name=record["name"],
            kind=DivisionKind[record["kind"]],
            parent_code=record["parent_code"] or None,
        )
        table[row.code] = (*table.get(row.code, ()), row)
    return table


@cache
def _children() -> dict[tuple[str, DivisionLevel], tuple[Division, ...]]:
    children: dict[tuple[str, DivisionLevel], list[Division]] = {}
    for row in all_divisions():
        parent = parent_of(row)
        if parent is not None and row.kind is not DivisionKind.GROUPING:
            children.setdefault((parent.code, parent.level), []).append(row)
    return {key: tuple(rows) for key, rows in children.items()}

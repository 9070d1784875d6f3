"""Reading a file of divisions: every bad line is named, and one bad line refuses the whole file."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gov_rules.divisions import NATION, DivisionKind, DivisionLevel, parse_area_code
from service_common.errors import FieldProblem, Invalid


class BadImport(Invalid):
    """Lines that cannot be read. Nothing of the file was loaded."""

    code = "bad_import"
    zh = "导入文件有 {count} 处错误，未导入任何内容。"
    en = "The file has {count} errors; nothing of it was loaded."


@dataclass(frozen=True, slots=True)
class DivisionRow:
    """One division as it is imported. ``code`` and ``parent_code`` have twelve digits."""

    line: int
    code: str
    level: DivisionLevel
    name: str
    kind: DivisionKind
    parent_code: str


class _BadLine(ValueError):
    """Why a line cannot be read, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


_COLUMNS = {"code", "name", "level", "parent_code", "kind"}
_MOST_PROBLEMS = 100
_DIGITS_OF_PARENT = {
    DivisionLevel.PROVINCE: 0,
    DivisionLevel.CITY: 2,
    DivisionLevel.COUNTY: 4,
    DivisionLevel.TOWNSHIP: 6,
    DivisionLevel.VILLAGE: 9,
}


def read_divisions(text: str, *, ndjson: bool) -> list[DivisionRow]:
    """Reads a whole file: CSV with a header, or one JSON object a line.

    Columns: ``code`` (6, 9 or 12 digits), ``name``, and optionally ``level``, ``parent_code``, ``kind``; level and
    parent follow from the code where they are left out.

    Raises: BadImport, naming the bad lines (the first hundred).
    """
    problems: list[FieldProblem] = []
    rows: dict[tuple[str, DivisionLevel], DivisionRow] = {}
    for line, record in _records(text, ndjson=ndjson):
        try:
            row = _read_row(line, record)
            if (row.code, row.level) in rows:
                raise _BadLine(f"{row.code} 重复出现", f"{row.code} appears twice")
        except ValueError as error:
            problems.append(_problem(line, getattr(error, "zh", str(error)), str(error)))
            continue
        rows[row.code, row.level] = row
    refuse(problems)
    return list(rows.values())


def refuse(problems: Sequence[FieldProblem]) -> None:
    """Raises: BadImport, if there is any problem."""
    if problems:
        raise BadImport(fields=problems[:_MOST_PROBLEMS], count=len(problems))


def orphans(rows: Sequence[DivisionRow], known_codes: set[str]) -> list[FieldProblem]:
    """The rows whose parent is neither among them nor known already."""
    codes = known_codes | {row.code for row in rows} | {NATION}
    return [
        _problem(row.line, f"上级区划 {row.parent_code} 不存在", f"there is no parent {row.parent_code}")
        for row in rows
        if row.parent_code not in codes
    ]


def implied_parent(code: str, level: DivisionLevel) -> str:
    """The parent that a code of twelve digits names; provinces belong to the nation."""
    digits = _DIGITS_OF_PARENT[level]
    return code[:digits].ljust(12, "0") if digits else NATION


def _problem(line: int, zh: str, en: str) -> FieldProblem:
    return FieldProblem(f"/lines/{line}", "bad_line", zh, en)


def _records(text: str, *, ndjson: bool) -> Iterator[tuple[int, object]]:
    """Numbered records. What is no mapping could not be read as one."""
    if ndjson:
        lines = ((number, line) for number, line in enumerate(text.splitlines(), start=1) if line.strip())
        yield from ((number, _json(line)) for number, line in lines)
        return
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    for record in reader:
        yield reader.line_num, record


def _json(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _read_row(line: int, record: object) -> DivisionRow:
    if not isinstance(record, Mapping):
        raise _BadLine("不是有效的 JSON 对象", "not a JSON object")
    unknown = {str(key) for key in record} - _COLUMNS
    if unknown:
        raise _BadLine(
            f"不认识的列：{', '.join(sorted(unknown))}", f"unknown columns: {', '.join(sorted(unknown))}"
        )
    fields = {str(key): str(value).strip() for key, value in record.items() if value not in (None, "")}
    area = parse_area_code(fields.get("code", ""))
    if area.is_nation:
        raise _BadLine("不需要导入全国", "the nation itself is not imported")
    name = fields.get("name", "")
    if not 1 <= len(name) <= 100:
        raise _BadLine("名称缺失或过长", "the name is missing or too long")
    level = _level(fields.get("level"), area.level)
    parent = fields.get("parent_code")
    return DivisionRow(
        line=line,
        code=area.value,
        level=level,
        name=name,
        kind=_kind(fields.get("kind", "ADMINISTRATIVE")),
        parent_code=parse_area_code(parent).value if parent else implied_parent(area.value, level),
    )


def _level(text: str | None, of_code: DivisionLevel) -> DivisionLevel:
    """Cities without counties appear again as their own county, under the city's code."""
    if text is None or text.upper() == of_code.name:
        return of_code
    if text.upper() == DivisionLevel.COUNTY.name and of_code is DivisionLevel.CITY:
        return DivisionLevel.COUNTY
    raise _BadLine(f"级别 {text} 与代码不符", f"the level {text} does not fit the code")


def _kind(text: str) -> DivisionKind:
    try:
        return DivisionKind(text.upper())
    except ValueError:
        raise _BadLine(f"类型 {text} 无效", f"unknown kind {text}") from None

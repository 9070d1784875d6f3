"""Reading a file of the catalogue: every row is checked, and every fault is told by line, pointer and reason. Pure."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from acceptance_service.catalogue.bundle_definition import BundleDefinition
from acceptance_service.catalogue.definitions import ItemDefinition
from acceptance_service.catalogue.domain import BadFile, ImportKind, ListName
from acceptance_service.catalogue.lists import DepartmentList, SynonymRow, ThemeRow
from service_common.errors import FieldProblem

# More faults than these help nobody; the count says how many there are.
_MOST_REPORTED = 200

_ZH = {
    "missing": "缺少必填内容",
    "extra_forbidden": "不认识的字段",
    "string_pattern_mismatch": "格式不正确",
    "string_too_short": "内容太短",
    "string_too_long": "内容太长",
    "enum": "取值不在允许范围内",
    "literal_error": "取值不在允许范围内",
    "json_invalid": "不是有效的 JSON",
    "value_error": "不符合目录规则",
    "repeated_code": "代码在文件中重复",
    "not_utf8": "文件不是 UTF-8 编码",
    "nul_character": "含有空字符",
    "bad_csv": "不是有效的 CSV",
    "empty_file": "文件没有内容",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One document of a file, with the line it stands on."""

    line: int
    code: str
    document: dict[str, Any]


class _Faults:
    """Collects what is wrong with a file."""

    def __init__(self) -> None:
        self.count = 0
        self.reported: list[FieldProblem] = []

    def add(self, line: int, path: Sequence[str | int], code: str, reason: str) -> None:
        self.count += 1
        if len(self.reported) < _MOST_REPORTED:
            pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
            self.reported.append(
                FieldProblem(
                    pointer=f"/lines/{line}{pointer}",
                    code=code,
                    zh=f"第 {line} 行 {pointer or '整行'}：{_ZH.get(code, '内容不符合要求')}（{reason}）",
                    en=f"line {line} {pointer or '(the whole row)'}: {reason}",
                )
            )

    def add_validation(self, line: int, error: ValidationError) -> None:
        for one in error.errors(include_url=False, include_input=False):
            self.add(line, one["loc"], one["type"], one["msg"])


def read_file(kind: ImportKind, body: bytes) -> list[Row]:
    """The rows of a file, all of them sound. Raises: BadFile."""
    faults = _Faults()
    rows = list(_READERS[kind](_decode(body, faults), faults))
    if not rows and not faults.count:
        faults.add(1, (), "empty_file", "the file holds nothing")
    _check_repeats(rows, faults)
    if faults.count:
        raise BadFile(fields=faults.reported, count=faults.count)
    return rows


def _decode(body: bytes, faults: _Faults) -> str:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        faults.add(body[: error.start].count(b"\n") + 1, (), "not_utf8", "the file is not UTF-8")
        return ""
    for line, raw in enumerate(text.split("\n"), start=1):
        if "\x00" in raw or "\\u0000" in raw:  # which PostgreSQL stores in no text
            faults.add(line, (), "nul_character", "a NUL character")
    return "" if faults.count else text


def _check_repeats(rows: Sequence[Row], faults: _Faults) -> None:
    first: dict[str, int] = {}
    for row in rows:
        _note_repeat(first, row.code, row.line, faults)


def _note_repeat(first: dict[str, int], code: str, line: int, faults: _Faults) -> None:
    if code in first:
        faults.add(line, ("code",), "repeated_code", f"{code} stands on line {first[code]} too")
    first.setdefault(code, line)


def _read_items(text: str, faults: _Faults) -> Iterator[Row]:
    # Not `splitlines`: it also cuts at characters that stand inside JSON strings.
    for line, raw in enumerate(text.split("\n"), start=1):
        if raw.strip():
            yield from _read_document(ItemDefinition, raw, line, faults, lambda item: item.code)


def _read_bundle(text: str, faults: _Faults) -> Iterator[Row]:
    if text.strip():
        yield from _read_document(BundleDefinition, text, 1, faults, lambda bundle: bundle.code)


def _read_departments(text: str, faults: _Faults) -> Iterator[Row]:
    if text.strip():
        yield from _read_document(DepartmentList, text, 1, faults, lambda _: ListName.DEPARTMENTS.value)


def _read_document(
    model: type[BaseModel], raw: str, line: int, faults: _Faults, code: Callable[[Any], str]
) -> Iterator[Row]:
    try:
        checked = model.model_validate_json(raw)
    except ValidationError as error:
        faults.add_validation(line, error)
        return
    # The document is kept as it was written, not as we would write it: its hash and its history are of that.
    yield Row(line, code(checked), json.loads(raw))


def _read_csv(
    model: type[BaseModel], name: ListName, *, key: str | None = None
) -> Callable[[str, _Faults], Iterator[Row]]:
    """``key``: the column in which no two rows agree."""

    def read(text: str, faults: _Faults) -> Iterator[Row]:
        reader = csv.DictReader(io.StringIO(text, newline=""))
        rows: list[dict[str | Any, str | Any]] = []
        first: dict[str, int] = {}
        for record in _records(reader, faults):
            try:
                model.model_validate({str(key): value for key, value in record.items() if value is not None})
            except ValidationError as error:
                faults.add_validation(reader.line_num, error)
                continue
            if key is not None:
                _note_repeat(first, str(record[key]), reader.line_num, faults)
            rows.append(record)
        if rows:
            yield Row(1, name.value, {"rows": rows})

    return read


def _records(reader: "csv.DictReader[str]", faults: _Faults) -> Iterator[dict[str | Any, str | Any]]:
    try:
        yield from reader
    except csv.Error as error:
        faults.add(reader.line_num + 1, (), "bad_csv", str(error))


_READERS: dict[ImportKind, Callable[[str, _Faults], Iterator[Row]]] = {
    ImportKind.ITEMS: _read_items,
    ImportKind.BUNDLE: _read_bundle,
    ImportKind.DEPARTMENTS: _read_departments,
    ImportKind.THEMES: _read_csv(ThemeRow, ListName.THEMES, key="code"),
    ImportKind.SYNONYMS: _read_csv(SynonymRow, ListName.SYNONYMS),
}

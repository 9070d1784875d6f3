"""Numbers of the documents that an organ issues in a case 文书编号, such as 岳麓市监受理〔2026〕第12号.

Source: the form of GB/T 9704-2012 §7.2.5: the year in full between hexagonal brackets, no leading zeros.
"""

import re
from dataclasses import dataclass

from gov_rules.errors import InvalidIdentifier

_SHAPE = re.compile(r"([^〔〕\s]+)〔([0-9]{4})〕第([1-9][0-9]*)号")


@dataclass(frozen=True, slots=True)
class DocumentNumber:
    """``series`` is the department's short name and the kind of document; each series counts anew every year."""

    value: str
    series: str
    year: int
    serial: int


def compose_document_number(department_short_name: str, kind: str, year: int, serial: int) -> str:
    """Build a number; the caller draws ``serial`` without gaps per department, kind and local year.

    Raises: InvalidIdentifier.
    """
    return parse_document_number(f"{department_short_name}{kind}〔{year}〕第{serial}号").value


def parse_document_number(text: str) -> DocumentNumber:
    """Read a document number.

    Raises: InvalidIdentifier.
    """
    value = text.strip()
    match = _SHAPE.fullmatch(value)
    if match is None:
        raise InvalidIdentifier(
            "document_number_format",
            zh="文书编号应形如“岳麓市监受理〔2026〕第12号”，年份用六角括号，序号不编虚位。",
            en="A document number reads like 岳麓市监受理〔2026〕第12号: hexagonal brackets, no leading zeros.",
        )
    return DocumentNumber(value=value, series=match[1], year=int(match[2]), serial=int(match[3]))

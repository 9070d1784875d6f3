"""Reading the raw source and the curation, writing the compiled files the same way every time."""

import csv
import json
from pathlib import Path
from typing import Any

import yaml

Json = dict[str, Any]


def read_json_lines(path: Path) -> list[Json]:
    """One JSON object per line."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines if line.strip()]


def read_csv(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file with a header, with or without a byte order mark."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def read_yaml(path: Path) -> Any:
    """A curation file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def write_json(path: Path, document: Json) -> None:
    """Indented, in the order the compiler gives, with a final newline."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write_json_lines(path: Path, rows: list[Json]) -> None:
    """One object per line, sorted by code so that a new version shows small differences."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (
        json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"
        for row in sorted(rows, key=lambda row: str(row["code"]))
    )
    path.write_text("".join(lines), encoding="utf-8")


def write_csv(path: Path, header: list[str], rows: list[list[str]]) -> None:
    """Plain CSV with LF line ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)

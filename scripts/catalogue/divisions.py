"""Divisions are taken over unchanged; only the places are chosen."""

import shutil
from pathlib import Path

DIVISION_FILES = ("divisions_to_county.csv", "townships.csv", "villages_hubei_hunan.csv.gz")


def copy_divisions(raw: Path, target: Path) -> None:
    """Copies the division files byte for byte, so the compressed one is the same on every run."""
    target.mkdir(parents=True, exist_ok=True)
    for name in DIVISION_FILES:
        shutil.copyfile(raw / name, target / name)

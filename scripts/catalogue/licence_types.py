"""Licence types that results and materials refer to, with a national code only where a public source states it."""

from pathlib import Path

from scripts.catalogue.departments import Departments
from scripts.catalogue.files import Json, read_yaml
from scripts.catalogue.origins import compiled

PROVINCE = "430000000000"


class LicenceTypes:
    """Looks licence types up by name or alias."""

    def __init__(self, curation: Path, departments: Departments) -> None:
        self._rows = [_licence_type(row, departments) for row in read_yaml(curation / "licence_types.yaml")]
        self._codes = {
            name: str(row["code"]) for row in self._rows for name in (row["name"], *row["aliases"])
        }

    def code_of(self, name: str) -> str:
        """Type code by name or alias. Raises: KeyError for a type the catalogue lacks."""
        return self._codes[name]

    def rows(self) -> list[Json]:
        """All types, by code."""
        return sorted(self._rows, key=lambda row: str(row["code"]))


def _licence_type(row: Json, departments: Departments) -> Json:
    authority = departments.of_kind(PROVINCE, row["authority"])
    national = row.get("national")
    local_code = f"{departments.uscc_of(authority)}{row['number']:03d}"
    return {
        "code": national["code"] if national else local_code,
        "name": row["name"],
        "aliases": row.get("aliases", []),
        "is_official": national is not None and national["known"] == "stated",
        "code_known": national["known"] if national else "local",
        "category": row["category"],
        "authority": authority,
        "holder_kind": row["holder"],
        "validity": row["validity"],
        "qr_lifetime_seconds": 60,
        "surface_fields": [
            {"name": name, "source": source, "required": "r" in flags, "personal": "p" in flags}
            for name, source, flags in row["surface"]
        ],
        "issuers": row.get("issuers") or [_competent(row["authority"], nationwide=national is not None)],
        "origin": compiled("照面字段按常见证照样式编目，未对照该类证照的工程标准", source=None),
    }


def _competent(kind: str, *, nationwide: bool) -> Json:
    """The departments of the defining one's kind, at every level: of the country for a national code, else of the province."""
    return {"kind": kind} if nationwide else {"kind": kind, "division": PROVINCE}

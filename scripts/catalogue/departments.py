"""The departments that items and bundles refer to. Names are the source's where it gives them; a department known only
by its kind is called by division and kind, which says no more than the source does."""

from collections import Counter
from pathlib import Path

from scripts.catalogue.codes import split_sichuan_code, synthetic_credit_code
from scripts.catalogue.files import Json, read_yaml
from scripts.catalogue.origins import GUANGAN, HUNAN, compiled, stated

GUANGAN_DIVISION = "511602000000"


class Departments:
    """Registry that hands out department codes and remembers what is needed of each."""

    def __init__(self, curation: Path) -> None:
        self._kinds: Json = read_yaml(curation / "department_kinds.yaml")
        self._divisions: list[Json] = read_yaml(curation / "divisions.yaml")
        self._rows: dict[str, Json] = {}

    def division_of(self, portal_area_code: str) -> Json:
        """The real division behind a portal pseudo code."""
        return next(row for row in self._divisions if row["portal_area_code"] == portal_area_code)

    def kind_of_label(self, label: str) -> str | None:
        """The kind a theme guide's label such as 市监部门 stands for; None for 其他部门."""
        return next((kind for kind, row in self._kinds.items() if label in row["labels"]), None)

    def kind_of_guide(self, word: str) -> str:
        """The kind an item guide's word such as 市场监管部门 stands for. Raises: StopIteration when unknown."""
        return next(kind for kind, row in self._kinds.items() if row["name"] == word)

    def name_department(self, division: str, kind: str, name: str, origin: Json, **contact: object) -> str:
        """Records a department under a name of the source; the first record of a department stands."""
        code = f"HN-{division[:6]}-{kind}"
        if code not in self._rows:
            self._rows[code] = {
                "code": code,
                "uscc": synthetic_credit_code(division, self._kinds[kind]["number"]),
                "is_official": False,
                "name": name,
                "kind": kind,
                "division": division,
                "origin": origin,
                **contact,
            }
        return code

    def of_kind(self, division: str, kind: str) -> str:
        """The department of a kind in a division, called by both when no name is known."""
        code = f"HN-{division[:6]}-{kind}"
        if code in self._rows:
            return code
        prefix = next(row["prefix"] for row in self._divisions if row["code"] == division)
        name = prefix + self._kinds[kind]["name"]
        origin = compiled("名称由区划名和部门类别组成；源数据未给出该地区部门全称")
        return self.name_department(division, kind, name, origin)

    def name_guiding_departments(self, guides: list[Json]) -> None:
        """The provincial departments that item guides name as 指导部门."""
        for guide in guides:
            kind = self.kind_of_guide(guide["department"])
            self.name_department("430000000000", kind, guide["guiding_department"], stated(HUNAN))

    def add_guangan(self, rows: list[dict[str, str]]) -> dict[str, str]:
        """Guang'an's departments by name, numbered in the order of the source; returns name → code."""
        names = list(dict.fromkeys(row["department"] for row in rows))
        codes: dict[str, str] = {}
        for number, name in enumerate(names, start=1):
            own = [row for row in rows if row["department"] == name]
            codes[name] = self._add_guangan_department(number, name, own)
        return codes

    def _add_guangan_department(self, number: int, name: str, rows: list[dict[str, str]]) -> str:
        implementing = Counter(
            parts[1] for row in rows if (parts := split_sichuan_code(row["item_code"])) is not None
        )
        # The bureau itself is an organ (first digits 11); its items are partly run by institutions (12).
        ranked = sorted(implementing, key=lambda code: (code[:2] != "11", -implementing[code], code))
        code = f"SC-511602-{number:02d}"
        self._rows[code] = {
            "code": code,
            "uscc": ranked[0] if ranked else synthetic_credit_code(GUANGAN_DIVISION, number),
            "is_official": bool(ranked),
            "name": name,
            "kind": None,
            "division": GUANGAN_DIVISION,
            "portal_codes": sorted({row["dept_code"] for row in rows}),
            "origin": stated(GUANGAN),
        }
        return code

    def uscc_of(self, code: str) -> str:
        """Credit code of a registered department."""
        return str(self._rows[code]["uscc"])

    def name_of(self, code: str) -> str:
        """Name of a registered department."""
        return str(self._rows[code]["name"])

    def kinds(self) -> list[Json]:
        """Of which kind each department is, where that is known."""
        return [{"uscc": row["uscc"], "kind": row["kind"]} for row in self.rows() if row["kind"]]

    def rows(self) -> list[Json]:
        """All departments, by code."""
        return [self._rows[code] for code in sorted(self._rows)]

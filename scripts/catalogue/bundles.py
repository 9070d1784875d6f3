"""Bundles 一件事: a theme guide of the source joined with the editors' questions, rules, form and sequence."""

from pathlib import Path

from scripts.catalogue import vocabulary as words
from scripts.catalogue.departments import Departments
from scripts.catalogue.files import Json, read_yaml
from scripts.catalogue.items import UNIT_ORIGIN, HunanItems, substitute
from scripts.catalogue.licence_types import LicenceTypes
from scripts.catalogue.origins import HUNAN, compiled, stated

ALL_ITEMS = "all"


def name_lead_departments(curation: Path, themes: list[Json], departments: Departments) -> None:
    """Records every lead department under the name its theme states, before anything refers to it by kind."""
    for theme in themes:
        note: Json = read_yaml(curation / "themes" / f"{theme['theme_code']}.yaml")
        for raw in theme["regions"]:
            division = departments.division_of(raw["area_code"])["code"]
            departments.name_department(
                division, note["lead_kind"], raw["lead_department"], stated(HUNAN), **_contact(raw)
            )
        if not theme["regions"]:
            division = departments.division_of("")["code"]
            origin = compiled(note["lead_evidence"])
            departments.name_department(division, note["lead_kind"], note["lead_name"], origin)


def _contact(raw: Json) -> Json:
    return {field: raw[field] for field in ("consult_phone", "complaint_phone", "service_points")}


class BundleCompiler:
    """Compiles one theme at a time; items and departments collect what the themes refer to."""

    def __init__(
        self, curation: Path, departments: Departments, items: HunanItems, types: LicenceTypes
    ) -> None:
        self._curation = curation
        self._fields: Json = read_yaml(curation / "fields.yaml")
        self._departments = departments
        self._items = items
        self._types = types

    def compile(self, theme: Json) -> Json:
        """The bundle of a theme. Raises: ValueError when the curation does not fit the source row by row."""
        note: Json = read_yaml(self._curation / "themes" / f"{theme['theme_code']}.yaml")
        regions = self._regions(theme, note)
        codes = self._link_items(theme, note, regions[0])
        form = self._form(note, codes)
        bundle = {
            "code": theme["theme_code"],
            "title": theme["title"],
            "state": "in_review",
            "division": regions[0]["division"],
            "lead_department": regions[0]["lead_department"],
            "regions": regions,
            "promised_limit": words.workdays(theme["promised_limit"]),
            "reform": theme["reform"],
            "charged": theme["is_charge"] == "1",
            "conditions": note["conditions"],
            "scenario": {"questions": [_question(row) for row in note["questions"]]},
            "items": self._bundle_items(theme, note, codes),
            "related_items": self._related_items(note, regions[0]["division"]),
            "materials": self._materials(theme, note, codes),
            "form": form,
            "sequence": [_sequence_step(row, codes) for row in note.get("sequence", [])],
            "source_flaws": note.get("source_flaws", []),
            "review": note.get("review") or _review(),
            "origin": {**stated(HUNAN), "paths": theme["source_paths"]},
            "element_origins": {
                "conditions": compiled("办理条件的要点，自行概括"),
                "form": compiled(note["fields_evidence"]),
                "promised_limit": UNIT_ORIGIN,
                **({"lead_department": compiled(note["lead_evidence"])} if "lead_evidence" in note else {}),
            },
        }
        if "variant_id" in theme:
            bundle["origin"]["variant"] = theme["variant_id"]
        return bundle

    def _regions(self, theme: Json, note: Json) -> list[Json]:
        if not theme["regions"]:
            division = self._departments.division_of("")["code"]
            lead = self._departments.of_kind(division, note["lead_kind"])
            return [{"division": division, "lead_department": lead, "cooperating": [], "service_points": []}]
        return [self._region(raw, note) for raw in theme["regions"]]

    def _region(self, raw: Json, note: Json) -> Json:
        division = self._departments.division_of(raw["area_code"])["code"]
        return {
            "division": division,
            "portal_area_code": raw["area_code"],
            "implementation_code": raw["implementation_code"],
            "lead_department": self._departments.of_kind(division, note["lead_kind"]),
            "cooperating": [self._cooperating(label, division) for label in raw["cooperating_departments"]],
            **_contact(raw),
        }

    def _cooperating(self, label: str, division: str) -> Json:
        kind = self._departments.kind_of_label(label)
        return {
            "label": label,
            "department": self._departments.of_kind(division, kind) if kind else None,
        }

    def _link_items(self, theme: Json, note: Json, region: Json) -> dict[str, str]:
        codes: dict[str, str] = {}
        for number, (raw, row) in enumerate(zip(theme["items"], note["items"], strict=True), start=1):
            if row["name"] != (raw.get("business_type") or raw["name"]):
                raise ValueError(f"{theme['theme_code']}: item {number} is {raw['name']}, not {row['name']}")
            place = {
                "theme": theme["theme_code"],
                "number": number,
                "division": region["division"],
                "lead": region["lead_department"],
            }
            codes[row["key"]] = self._items.link(raw, row, place)
        return codes

    def _bundle_items(self, theme: Json, note: Json, codes: dict[str, str]) -> list[Json]:
        return [
            {
                "item": codes[row["key"]],
                "order": number,
                "promised_limit": words.workdays(raw["promised_limit"]),
                **_when(row),
                "origin": compiled(row.get("evidence") or note["items_evidence"]),
            }
            for number, (raw, row) in enumerate(zip(theme["items"], note["items"], strict=True), start=1)
        ]

    def _related_items(self, note: Json, division: str) -> list[Json]:
        return [
            {
                "item": self._items.code_of_guide(row["guide"], division),
                **_when(row),
                "note": row["note"],
                "origin": compiled(row["evidence"]),
            }
            for row in note.get("related_items", [])
        ]

    def _materials(self, theme: Json, note: Json, codes: dict[str, str]) -> list[Json]:
        return [
            self._material(f"{theme['theme_code']}-M{number:02d}", raw, row, codes)
            for number, (raw, row) in enumerate(
                zip(theme["materials"], note["materials"], strict=True), start=1
            )
        ]

    def _material(self, code: str, raw: Json, row: Json, codes: dict[str, str]) -> Json:
        title = _clean_title(raw["title"])
        if row["title"] != title:
            raise ValueError(f"{code} is {title}, not {row['title']}")
        material: Json = {
            "code": code,
            "title": title,
            "necessity": words.NECESSITY[raw["necessity_code"]],
            "source": words.MATERIAL_SOURCE[raw["source_code"]],
            "medium": words.MEDIUM[raw["form_code"]],
            "submit_way": words.SUBMIT_WAY[raw["submit_code"]],
        }
        explanation = raw.get("free_submission_explain")
        free_submission = words.free_submission_of(raw.get("free_submission_code"), explanation)
        if free_submission is not None:
            material["free_submission"] = free_submission
        for field in ("copies", "standard_material_id", "standard_certificate_code"):
            if raw.get(field) is not None:
                material[field] = raw[field]
        material["items"] = _item_codes(row["items"], codes)
        if "tolerated_in" in row:
            material["tolerated_in"] = [codes[key] for key in row["tolerated_in"]]
        return material | {
            **_when(row),
            "satisfied_by": [substitute(entry, self._types) for entry in row.get("satisfied_by", [])],
            "origin": compiled(row["evidence"]),
        }

    def _form(self, note: Json, codes: dict[str, str]) -> Json:
        properties = {row["field"]: self._property(row, codes) for row in note["fields"]}
        always = [
            row["field"]
            for row in note["fields"]
            if row["items"] == ALL_ITEMS and "when" not in row and row.get("required", True)
        ]
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": properties,
            "required": always,
            "additionalProperties": False,
        }

    def _property(self, row: Json, codes: dict[str, str]) -> Json:
        field = self._fields[row["field"]]
        schema: Json = {"title": field["title"], **field["schema"]}
        schema["x-items"] = _item_codes(row["items"], codes)
        schema["x-required"] = row.get("required", True)
        if "when" in row:
            schema["x-when"] = row["when"]
        if "prefill" in field:
            schema["x-prefill"] = field["prefill"]
        return schema


def _clean_title(title: str) -> str:
    """The source's titles carry stray spaces from their line breaks; Chinese titles need none."""
    return "".join(title.split())


def _item_codes(keys: str | list[str], codes: dict[str, str]) -> list[str]:
    if isinstance(keys, str):
        if keys != ALL_ITEMS:
            raise ValueError(f"write “all” or a list of items, not {keys}")
        return ["*"]
    return [codes[key] for key in keys]


def _when(row: Json) -> Json:
    return {"when": row["when"]} if "when" in row else {}


def _question(row: Json) -> Json:
    return {
        "code": row["code"],
        "title": row["title"],
        "kind": row["kind"],
        **({"help": row["help"]} if "help" in row else {}),
        **({"min_choices": row["min_choices"]} if "min_choices" in row else {}),
        "options": [{"value": value, "label": label} for value, label in row["options"].items()],
        **_when(row),
        "origin": compiled(row["evidence"]),
    }


def _sequence_step(row: Json, codes: dict[str, str]) -> Json:
    return {
        "item": codes[row["item"]],
        "after": [codes[key] for key in row["after"]],
        **({"mode": row["mode"]} if "mode" in row else {}),
        "origin": compiled(row["evidence"]),
    }


def _review() -> Json:
    return {
        "status": "draft",
        "reviewed_by": "catalogue administration",
        "note": "题目、规则、联合表单和顺序为编目所加，发布前须由目录管理人员复核。",
    }

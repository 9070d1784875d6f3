"""Implementing items: all of Guang'an's, and Hunan's from the item guides and from the items that themes link."""

from pathlib import Path

from scripts.catalogue import vocabulary as words
from scripts.catalogue.codes import split_sichuan_code
from scripts.catalogue.departments import GUANGAN_DIVISION, Departments
from scripts.catalogue.files import Json, read_yaml
from scripts.catalogue.licence_types import LicenceTypes
from scripts.catalogue.origins import GUANGAN, HUNAN, compiled, stated

UNIT_ORIGIN = compiled("限时为原值；文字说明均以工作日计，字段未写单位")
TRUST_ORIGIN = compiled("源数据未写实名等级；按实名认证（二级）起办", source=None)


def compile_guangan(rows: list[dict[str, str]], department_codes: dict[str, str]) -> list[Json]:
    """Guang'an's items: codes and names alone, because the source has no limits and no materials."""
    return [_guangan_item(row, department_codes[row["department"]]) for row in rows]


def _guangan_item(row: dict[str, str], department: str) -> Json:
    item: Json = {"code": row["item_code"].upper(), "local_task_code": row["item_code"]}
    parts = split_sichuan_code(row["item_code"])
    if parts is not None:
        item["local_basic_code"], item["implementing_uscc"] = parts
    item |= {"name": row["item_name"], "handling_name": None}
    if row["main_item"] != "未分类":
        item["main_item"] = row["main_item"]
    return item | {
        "item_type": f"{int(row['task_type']):02d}",
        "department": department,
        "department_origin": "portal",
        "division": GUANGAN_DIVISION,
        "completeness": "link_only",
        "min_trust_level": 2,
        "instant_rule": None,
        "origin": stated(GUANGAN),
        "element_origins": {"min_trust_level": TRUST_ORIGIN},
    }


class HunanItems:
    """Collects Hunan's items so that the same item of the same department and division exists once."""

    def __init__(
        self, curation: Path, guides: list[Json], departments: Departments, types: LicenceTypes
    ) -> None:
        self._guides = {str(guide["title"]): guide for guide in guides}
        self._notes: Json = read_yaml(curation / "guides.yaml")
        self._fields: Json = read_yaml(curation / "fields.yaml")
        self._departments = departments
        self._types = types
        self._rows: dict[tuple[str, str, str], Json] = {}

    def add_standalone(self) -> None:
        """Items whose guide no theme links, in the divisions the curation names."""
        for title, note in self._notes.items():
            for division in note.get("standalone_in", []):
                self._add_guided(title, title, division)

    def code_of_guide(self, title: str, division: str) -> str:
        """Code of a guided item in a division; the item must exist or be made."""
        return self._add_guided(title, title, division)

    def link(self, raw: Json, note: Json, place: Json) -> str:
        """The item a theme links: the guided one when the source has its guide, else one that shows its lack.

        `place` gives theme, number in the theme, division, and the theme's lead department.
        """
        title = str(raw.get("business_type") or raw["name"])
        if title in self._guides:
            code = self._add_guided(str(raw["name"]), title, place["division"])
            item = next(row for row in self._rows.values() if row["code"] == code)
        else:
            item = self._add_link_only(raw, note, place)
        if "instant_rule" in note:
            item["instant_rule"] = note["instant_rule"]
            item["element_origins"]["instant_rule"] = compiled(note["instant_evidence"])
        return str(item["code"])

    def rows(self) -> list[Json]:
        """All items collected so far."""
        return list(self._rows.values())

    def _add_link_only(self, raw: Json, note: Json, place: Json) -> Json:
        title = str(raw.get("business_type") or raw["name"])
        division, department, department_origin = place["division"], place["lead"], "lead_department"
        origins: Json = {"min_trust_level": TRUST_ORIGIN, "promised_limit": UNIT_ORIGIN}
        if "kind" in note:
            department = self._departments.of_kind(division, note["kind"])
            department_origin = "cooperating_department"
            origins["department"] = compiled(note["kind_evidence"])
        key = (division, department, title)
        if key in self._rows:
            return self._rows[key]
        item = {
            "code": f"HN-{division[:6]}-{place['theme']}-{place['number']:02d}",
            "name": raw["name"],
            "handling_name": raw.get("business_type"),
            "department": department,
            "department_origin": department_origin,
            "division": division,
            "completeness": "link_only",
            "promised_limit": words.workdays(raw["promised_limit"]),
            "min_trust_level": 2,
            "instant_rule": None,
            "origin": stated(HUNAN),
            "element_origins": origins,
        }
        result = self._result(raw.get("result"), note.get("licence_type"))
        if result is not None:
            item["result"] = result
            if result["licence_type_code"] is not None:
                origins["result"] = compiled("证照类型按结果名称对应")
        self._rows[key] = item
        return item

    def _add_guided(self, name: str, title: str, division: str) -> str:
        guide, note = self._guides[title], self._notes[title]
        department = self._departments.of_kind(division, note["kind"])
        key = (division, department, title)
        if key not in self._rows:
            self._rows[key] = self._guided_item(name, guide, note, division)
        return str(self._rows[key]["code"])

    def _guided_item(self, name: str, guide: Json, note: Json, division: str) -> Json:
        rights_code, business_code = guide["rights_code"], guide["business_code"]
        item: Json = {
            "code": f"HN-{division[:6]}-{rights_code}-{business_code}",
            "basic_code" if rights_code.isdigit() else "local_basic_code": rights_code,
            "business_code": business_code,
            "name": name,
            "handling_name": guide["title"],
            "item_type": words.ITEM_TYPES[guide["item_type"]],
            "department": self._departments.of_kind(division, note["kind"]),
            "department_origin": "guide",
            "guiding_department": self._departments.of_kind("430000000000", note["kind"]),
            "division": division,
            "completeness": "guide",
        }
        item |= _guide_facts(guide, note)
        item |= {
            "legal_basis": note["basis"],
            "conditions": note["conditions"],
            "materials": self._materials(guide, note),
            "form_fields": [self._form_field(code) for code in note["fields"]],
        }
        result = self._result(guide.get("result"), note["licence_type"])
        if result is not None:
            item["result"] = result
        return item | {
            "min_trust_level": 2,
            "instant_rule": None,
            "origin": stated(HUNAN),
            "element_origins": _guide_origins(note, result),
        }

    def _result(self, name: str | None, licence_type: str | None) -> Json | None:
        if name in (None, "无", "暂无", "其他", "其它", "无结果样本"):
            return None
        code = self._types.code_of(licence_type) if licence_type else None
        return {"name": name, "licence_type_code": code}

    def _form_field(self, code: str) -> Json:
        field = self._fields[code]
        row = {"code": code, "title": field["title"], "schema": field["schema"], "required": True}
        return row | ({"prefill": field["prefill"]} if "prefill" in field else {})

    def _materials(self, guide: Json, note: Json) -> list[Json]:
        return [
            self._material(number, raw, note["satisfied_by"].get(number, []))
            for number, raw in enumerate(guide["materials"])
        ]

    def _material(self, number: int, raw: Json, satisfied_by: list[Json]) -> Json:
        material: Json = {
            "code": raw.get("material_code") or f"M{number + 1:02d}",
            "title": raw["material_title"],
            "necessity": words.NECESSITY[raw["required"]],
            "source": words.MATERIAL_SOURCE[raw["source"]],
            "medium": words.MEDIUM[raw["medium"]],
            "submit_way": words.SUBMIT_WAY[raw["submit_way"]],
            "copy_kind": words.COPY_KIND[raw["original_or_copy"]],
            "copies": raw["copies"],
        }
        free_submission = words.free_submission_of(None, None)
        if "free_submission" in raw:
            free_submission = words.FREE_SUBMISSION[raw["free_submission"]]
        if free_submission is not None:
            material["free_submission"] = free_submission
        if "standard_material" in raw:
            code, title = raw["standard_material"].split(" ", 1)
            material["standard_material"] = {"code": code, "name": title}
        return material | {
            "satisfied_by": [substitute(row, self._types) for row in satisfied_by],
        }


def substitute(row: Json, types: LicenceTypes) -> Json:
    """One way to satisfy a material without a file, as the curation writes it, with its kind spelt out."""
    if "licence_type" in row:
        way: Json = {"kind": "licence", "licence_type_code": types.code_of(row["licence_type"])}
    elif "verified_profile_field" in row:
        way = {"kind": "verified_profile_field", "field": row["verified_profile_field"]}
    elif "promise" in row:
        way = {"kind": "promise", "promise": row["promise"]}
    elif row.get("joint_form") is True:
        way = {"kind": "joint_form"}
    else:
        raise ValueError(f"unknown way to satisfy a material: {row}")
    if "when" in row:
        way["when"] = row["when"]
    return way | {"origin": compiled(row["evidence"])}


def _guide_facts(guide: Json, note: Json) -> Json:
    facts: Json = {
        "statutory_limit": words.workdays(guide["statutory_limit"]),
        "promised_limit": words.workdays(guide["promised_limit"]),
        "limits_note": "SPECIAL_PROCEDURE_EXCLUDED" if _has_special_procedure(guide) else "NONE",
        "service_objects": words.split_words(guide["service_object"], words.SERVICE_OBJECTS),
        "exercise_levels": words.split_words(guide["exercise_level"], words.EXERCISE_LEVELS),
        "cross_region": words.CROSS_REGION[guide["cross_region"]],
        "online": guide["online"] == "是",
        "visits": int(guide["on_site_visits"]),
        "notify_promise": "notify_promise" in note,
        "charged": guide["charge"] == "是",
        "special_procedure": _special_procedure(guide["special_procedure"]),
        "intermediary_services": [
            {"name": row["name"], "limit": words.workdays(row["limit"])}
            for row in guide.get("intermediary_services", [])
        ],
    }
    if guide.get("fees"):
        facts["fees"] = [_fee(raw) for raw in guide["fees"]]
    if "online_depth" in guide:
        facts["online_depth"] = words.ONLINE_DEPTHS[guide["online_depth"]]
    if "channel" in guide:
        facts["channels"] = words.split_words(guide["channel"], words.CHANNELS)
    if "quantity_limit" in guide:
        facts["quantity_limited"] = note.get("quantity_limited", False)
    return facts


def _fee(raw: Json) -> Json:
    """A fee such as “20元” for each certificate, in fen. Raises: ValueError for an amount that is no whole yuan."""
    return {"name": raw["name"], "amount_fen": int(raw["standard"].removesuffix("元")) * 100, "per": "证"}


def _has_special_procedure(guide: Json) -> bool:
    return bool(guide["special_procedure"]["required"] == "是")


def _special_procedure(raw: Json) -> Json | None:
    if raw["required"] != "是":
        return None
    return {"kinds": raw["type"].split("^"), "limit": words.workdays(raw["limit"])}


def _guide_origins(note: Json, result: Json | None) -> Json:
    origins = {
        "conditions": compiled("受理条件的要点，自行概括"),
        "form_fields": compiled("由申请表名称、受理条件和材料归纳"),
        "min_trust_level": TRUST_ORIGIN,
        "promised_limit": UNIT_ORIGIN,
        "statutory_limit": UNIT_ORIGIN,
    }
    if "notify_promise" in note:
        origins["notify_promise"] = compiled(note["notify_promise"])
    if result is not None and result["licence_type_code"] is not None:
        origins["result"] = compiled("证照类型按结果名称对应")
    return origins

"""From answers to a plan: which questions are asked, which items, materials and fields apply. Pure.

Source: data/catalogue/schema/rules.md.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from acceptance_service.bundles.domain import (
    Answers,
    DependencyMode,
    Necessity,
    Plan,
    PlannedItem,
    PlannedMaterial,
    SatisfactionKind,
    SatisfiedBy,
)
from acceptance_service.bundles.scenario import follow
from acceptance_service.catalogue.bundle_definition import (
    EVERY_ITEM,
    BundleDefinition,
    BundleMaterial,
    Region,
)
from acceptance_service.catalogue.definitions import ItemDefinition, LimitDocument, MaterialBase, Satisfaction
from acceptance_service.catalogue.domain import ProjectType
from acceptance_service.catalogue.rules import holds
from acceptance_service.departments.domain import KnownDepartment, kind_of
from gov_rules.divisions import is_within, parse_area_code
from gov_rules.identifiers.item_code import ExerciseLevel, compose_task_code
from service_common.errors import FieldProblem, Invalid

# What the platform's upload takes; the sources name paper or electronic, never a file format.
UPLOAD_FORMATS = ("application/pdf", "image/jpeg", "image/png")
JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
_RULE_KEYWORDS = ("x-when", "x-required")
_CODE_TAIL = 12


class NotOfferedThere(Invalid):
    """The bundle or item is not offered in the division."""

    code = "not_offered_there"
    zh = "{code} 未在区划 {division} 开通办理。"
    en = "{code} is not offered in division {division}."


@dataclass(frozen=True, slots=True)
class PublishedItem:
    """A published version of an item with its department."""

    definition: ItemDefinition
    version: int
    department: KnownDepartment


@dataclass(frozen=True, slots=True)
class PublishedBundle:
    """A published version of a bundle with the published items and the departments that it refers to."""

    definition: BundleDefinition
    version: int
    items: Mapping[str, PublishedItem]
    departments: Mapping[str, KnownDepartment]


def plan_bundle(bundle: PublishedBundle, *, division: str, answers: Answers) -> Plan:
    """The plan of a bundle on the path of the answers. Raises: BadAnswers, NotOfferedThere."""
    definition = bundle.definition
    region = region_for(definition, division)
    path = follow(definition.scenario.questions, answers)
    selected = [one.item for one in definition.items if holds(one.when, path.answers)]
    items = tuple(_bundle_item(bundle, code, region, selected) for code in selected)
    materials = tuple(_bundle_materials(definition, selected, path.answers))
    return Plan(
        bundle_code=definition.code,
        bundle_version=bundle.version,
        title=definition.title,
        division=division,
        lead_department_id=bundle.departments[region.lead_department].department_id,
        promised_limit=definition.promised_limit.limit,
        items=items,
        form_schema=reduce_form(definition, selected, path.answers),
        materials=materials,
        promises=_promises(materials),
        answers=path.answers,
        questions_unanswered=path.unanswered,
        min_trust_level=max((one.min_trust_level for one in items), default=1),
    )


def plan_item(item: PublishedItem, *, division: str) -> Plan:
    """The plan of a single item with a guide. Raises: NotOfferedThere."""
    definition = item.definition
    _check_serves(definition, division)
    planned = _planned_item(item, item.department, promised=definition.promised_limit)
    materials = tuple(
        _planned_material(one, (definition.code,), (definition.code,), {})
        for one in definition.materials or ()
    )
    return Plan(
        bundle_code=None,
        bundle_version=None,
        title=definition.title,
        division=division,
        lead_department_id=item.department.department_id,
        promised_limit=planned.promised_limit,
        items=(planned,),
        form_schema=_form_of_item(definition),
        materials=materials,
        promises=_promises(materials),
        answers={},
        questions_unanswered=(),
        min_trust_level=definition.min_trust_level,
    )


def region_for(bundle: BundleDefinition, division: str) -> Region:
    """The nearest region of the bundle that contains the division. Raises: NotOfferedThere."""
    containing = [one for one in bundle.regions if is_within(division, one.division)]
    if not containing:
        raise NotOfferedThere(
            code=bundle.code,
            division=division,
            fields=[FieldProblem("/division", "not_offered_there", "该区划未开通。", "Not offered there.")],
        )
    return max(containing, key=lambda one: parse_area_code(one.division).level)


# 通办范围: how far beyond its own division an item takes applications, as digits of the area code that must agree.
_SERVED_PREFIX = {"1": 0, "2": 2, "3": 4, "4": 6}


def _check_serves(item: ItemDefinition, division: str) -> None:
    digits = _SERVED_PREFIX.get(item.cross_region or "")
    served = is_within(division, item.division) or (
        digits is not None and division[:digits] == item.division[:digits]
    )
    if not served:
        raise NotOfferedThere(
            code=item.code,
            division=division,
            fields=[FieldProblem("/division", "not_offered_there", "该区划未开通。", "Not offered there.")],
        )


def _bundle_item(bundle: PublishedBundle, code: str, region: Region, selected: Sequence[str]) -> PlannedItem:
    item = bundle.items[code]
    entry = next(one for one in bundle.definition.items if one.item == code)
    waits = next((one for one in bundle.definition.sequence if one.item == code), None)
    return _planned_item(
        item,
        bundle.departments.get(_regional_department(item.definition, region), item.department),
        promised=entry.promised_limit,
        depends_on=tuple(one for one in waits.after if one in selected) if waits else (),
        mode=DependencyMode(waits.mode) if waits else DependencyMode.ALL,
    )


def _regional_department(item: ItemDefinition, region: Region) -> str:
    """The region's own department of the item's kind where the region's guide names one, else the item's department."""
    kind = kind_of(item.department)
    named = [region.lead_department, *(one.department for one in region.cooperating if one.department)]
    return next((one for one in named if kind is not None and kind_of(one) == kind), item.department)


def _planned_item(
    item: PublishedItem,
    department: KnownDepartment,
    *,
    promised: LimitDocument | None,
    depends_on: tuple[str, ...] = (),
    mode: DependencyMode = DependencyMode.ALL,
) -> PlannedItem:
    definition = item.definition
    return PlannedItem(
        item_code=definition.code,
        item_version=item.version,
        name=definition.title,
        item_type=definition.item_type,
        implementation_code=implementation_code(definition, department),
        department_id=department.department_id,
        division=department.division,
        depends_on=depends_on,
        dependency_mode=mode,
        promised_limit=promised.limit if promised else None,
        statutory_limit=definition.statutory_limit.limit if definition.statutory_limit else None,
        project_type=definition.project_type or ProjectType.PROMISED,
        result_name=definition.result.name if definition.result else None,
        licence_type_code=definition.result.licence_type_code if definition.result else None,
        instant_rule=definition.instant_rule,
        min_trust_level=definition.min_trust_level,
        notify_promise=bool(definition.notify_promise),
        four_eyes=bool(definition.four_eyes),
    )


def implementation_code(item: ItemDefinition, department: KnownDepartment) -> str:
    """31 characters 实施编码: USCC of the department, its level, and the basic code or twelve characters of the local one.

    Source: GB/T 39554.1-2020.
    """
    level = ExerciseLevel(min(parse_area_code(department.division).level, ExerciseLevel.VILLAGE))
    own = item.basic_code or item.local_basic_code or _without_division(item.code)
    tail = "".join(one for one in own if one.isalnum()).upper()[:_CODE_TAIL].ljust(_CODE_TAIL, "0")
    return compose_task_code(department.uscc, level, tail)


def _without_division(code: str) -> str:
    """A local code without the ``HN-430300-`` that the catalogue put before it."""
    head, _, rest = code.partition("-")
    division, _, own = rest.partition("-")
    return own if head.isalpha() and division.isdigit() and own else code


def _bundle_materials(
    bundle: BundleDefinition, selected: Sequence[str], answers: Answers
) -> Iterator[PlannedMaterial]:
    for material in bundle.materials:
        served = _served(material, selected)
        if (served or not material.items) and holds(material.when, answers):
            tolerated = tuple(one for one in material.tolerated_in if one in selected)
            yield _planned_material(material, served, tolerated or served, answers)


def _served(material: BundleMaterial, selected: Sequence[str]) -> tuple[str, ...]:
    if material.items == [EVERY_ITEM]:
        return tuple(selected)
    return tuple(one for one in selected if one in material.items)


def _planned_material(
    material: MaterialBase, items: tuple[str, ...], tolerated: tuple[str, ...], answers: Answers
) -> PlannedMaterial:
    """容缺后补 and 信用免交、信用后补 are needed, but the case can be accepted before they are there."""
    stated = getattr(material, "tolerated_in", ())
    tolerance = material.necessity in ("TOLERATED", "CREDIT_EXEMPT") or bool(set(stated) & set(items))
    return PlannedMaterial(
        code=material.code,
        title=material.title,
        necessity=Necessity.OPTIONAL if material.necessity == "OPTIONAL" else Necessity.REQUIRED,
        items=items,
        satisfied_by=tuple(_way(one) for one in material.satisfied_by if holds(one.when, answers)),
        tolerance_allowed=tolerance,
        tolerated_in=tolerated if tolerance else (),
        medium=material.medium,
        submit_way=material.submit_way,
        copies=material.copies or 1,
        formats=UPLOAD_FORMATS,
    )


def _way(way: Satisfaction) -> SatisfiedBy:
    return SatisfiedBy(
        kind=SatisfactionKind(way.kind),
        licence_type_code=getattr(way, "licence_type_code", None),
        field=getattr(way, "field", None),
        promise=getattr(way, "promise", None),
    )


def _promises(materials: Sequence[PlannedMaterial]) -> tuple[str, ...]:
    """The promises that the applicant can sign in the application instead of a file."""
    named = (way.promise for one in materials for way in one.satisfied_by if way.promise)
    return tuple(dict.fromkeys(named))


def reduce_form(bundle: BundleDefinition, selected: Sequence[str], answers: Answers) -> dict[str, Any]:
    """The joint form with the fields that apply, those that are needed now required."""
    properties = {}
    required = []
    for name, field in bundle.form.properties.items():
        every = field["x-items"] == [EVERY_ITEM]
        serves = list(selected) if every else [one for one in selected if one in field["x-items"]]
        # No items at all: the field belongs to the application itself, as a material of that kind does.
        if not (serves or not field["x-items"]) or not holds(field.get("x-when"), answers):
            continue
        properties[name] = {
            **{key: value for key, value in field.items() if key not in _RULE_KEYWORDS},
            "x-items": serves,
        }
        if field["x-required"] or name in bundle.form.required:
            required.append(name)
    return _form(bundle.title, properties, required)


def _form_of_item(item: ItemDefinition) -> dict[str, Any]:
    properties = {}
    for field in item.form_fields or ():
        prefill = {"x-prefill": field.prefill} if field.prefill else {}
        properties[field.code] = {
            "title": field.title,
            **field.json_schema,
            "x-items": [item.code],
            **prefill,
        }
    required = [one.code for one in item.form_fields or () if one.required]
    return _form(item.title, properties, required)


def _form(title: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "$schema": JSON_SCHEMA,
        "title": title,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def related_items(bundle: BundleDefinition, answers: Answers) -> tuple[tuple[str, str], ...]:
    """Items outside the bundle that somebody on this path should know of, with the reason."""
    return tuple((one.item, one.note) for one in bundle.related_items if holds(one.when, answers))

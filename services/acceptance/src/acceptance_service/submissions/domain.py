"""Handing in, prefilling and following an application. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from acceptance_service.applications.verified_values import LOCKED
from acceptance_service.bundles.domain import Plan, SatisfactionKind
from service_common.contracts.acceptance import HolderKind


@dataclass(frozen=True, slots=True)
class LicenceField:
    """A form field that a licence can fill: ``licence.<name of the type>.<surface field>``."""

    form_field: str
    type_name: str
    surface_field: str


@dataclass(frozen=True, slots=True)
class PrefillNeeds:
    """What a plan could take from elsewhere."""

    profile_fields: Mapping[str, str]  # form field → profile field
    licence_fields: tuple[LicenceField, ...]
    licence_materials: Mapping[str, frozenset[str]]  # material code → licence type codes
    profile_materials: Mapping[str, str]  # material code → profile field

    @property
    def licence_types(self) -> frozenset[str]:
        """Type codes that a material may be waived for."""
        return frozenset(code for codes in self.licence_materials.values() for code in codes)

    def surface_fields_of(self, type_name: str) -> frozenset[str]:
        """The fields of a licence that the form takes over: no others are fetched."""
        return frozenset(one.surface_field for one in self.licence_fields if one.type_name == type_name)


def prefill_needs(plan: Plan) -> PrefillNeeds:
    """Reads ``x-prefill`` of the form and the materials' ways without a file."""
    profile_fields = {}
    licence_fields = []
    for name, schema in plan.form_schema.get("properties", {}).items():
        match str(schema.get("x-prefill", "")).split(".", 2):
            case ["identity", "person" | "legal_person" as kind, field_name]:
                profile_fields[name] = f"{kind}.{field_name}"
            case ["licence", type_name, surface_field]:
                licence_fields.append(LicenceField(name, type_name, surface_field))
            case _:
                continue
    licence_materials = {}
    profile_materials = {}
    for material in plan.materials:
        types = frozenset(
            one.licence_type_code
            for one in material.satisfied_by
            if one.kind is SatisfactionKind.LICENCE and one.licence_type_code
        )
        if types:
            licence_materials[material.code] = types
        for one in material.satisfied_by:
            if one.kind is SatisfactionKind.VERIFIED_PROFILE_FIELD and one.field:
                profile_materials[material.code] = one.field
    return PrefillNeeds(profile_fields, tuple(licence_fields), licence_materials, profile_materials)


@dataclass(frozen=True, slots=True)
class UsableLicence:
    """A valid licence of the applicant, with its surface when that could be had."""

    licence_id: UUID
    identifier: str
    type_code: str
    type_name: str
    surface: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class PrefilledField:
    """A value for a form field, where it comes from, and whether the applicant may change it."""

    value: Any
    source: str
    locked: bool


@dataclass(frozen=True, slots=True)
class Waiver:
    """A material that need not be sent: by which licence or profile field."""

    way: str
    licence_id: UUID | None = None
    identifier: str | None = None
    field: str | None = None


@dataclass(frozen=True, slots=True)
class Prefill:
    """What can be taken over. ``unavailable`` names peers that did not answer: then people fill in themselves."""

    fields: Mapping[str, PrefilledField] = field(default_factory=dict)
    materials: Mapping[str, Waiver] = field(default_factory=dict)
    unavailable: tuple[str, ...] = ()


def combine(
    needs: PrefillNeeds,
    profile: Mapping[str, str] | None,
    licences: Sequence[UsableLicence],
    *,
    unavailable: Iterable[str],
) -> Prefill:
    """Puts together what the peers answered; what is lacking is simply not prefilled."""
    fields: dict[str, PrefilledField] = {}
    for name, profile_field in needs.profile_fields.items():
        value = (profile or {}).get(profile_field)
        if value:
            fields[name] = PrefilledField(value, f"identity.{profile_field}", profile_field in LOCKED)
    surfaces = {one.type_name: one.surface for one in licences if one.surface}
    for wanted in needs.licence_fields:
        value = (surfaces.get(wanted.type_name) or {}).get(wanted.surface_field)
        if value:
            source = f"licence.{wanted.type_name}.{wanted.surface_field}"
            fields[wanted.form_field] = PrefilledField(value, source, locked=False)
    waivers: dict[str, Waiver] = {}
    for code, profile_field in needs.profile_materials.items():
        if (profile or {}).get(profile_field):
            waivers[code] = Waiver("PROFILE", field=profile_field)
    for code, types in needs.licence_materials.items():
        held = next((one for one in licences if one.type_code in types), None)
        if held is not None:
            waivers[code] = Waiver("LICENCE", licence_id=held.licence_id, identifier=held.identifier)
    return Prefill(fields, waivers, tuple(sorted(set(unavailable))))


@dataclass(frozen=True, slots=True)
class ProfileSubject:
    """Whose profile is asked for, and which attributes of it: no more than the plan uses."""

    kind: HolderKind
    holder_id: UUID
    prefix: str
    attributes: frozenset[str]


def profile_subjects(
    needs: PrefillNeeds, applicant_kind: HolderKind, applicant_id: UUID, person_id: UUID
) -> list[ProfileSubject]:
    """``person.…`` is the person who fills in, ``legal_person.…`` the applicant when it is one."""
    wanted: dict[str, set[str]] = {"person": set(), "legal_person": set()}
    for name in (*needs.profile_fields.values(), *needs.profile_materials.values()):
        prefix, attribute = name.split(".", 1)
        wanted[prefix].add(attribute)
    subjects = []
    if wanted["person"]:
        subjects.append(
            ProfileSubject(HolderKind.NATURAL_PERSON, person_id, "person", frozenset(wanted["person"]))
        )
    if wanted["legal_person"] and applicant_kind is HolderKind.LEGAL_PERSON:
        subjects.append(
            ProfileSubject(applicant_kind, applicant_id, "legal_person", frozenset(wanted["legal_person"]))
        )
    return subjects

"""What an application needs on one path through the questions: the plan. Pure.

A plan is computed from published, immutable versions and the answers; the same versions and answers give the same plan.
Source: data/catalogue/schema/rules.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from acceptance_service.catalogue.domain import Limit, ProjectType

Answers = Mapping[str, str | list[str]]


class DependencyMode(StrEnum):
    """Whether an item waits for all the items before it, or for one of them."""

    ALL = "all"
    ANY = "any"


class Necessity(StrEnum):
    """Whether a material must be there on this path."""

    REQUIRED = "REQUIRED"
    OPTIONAL = "OPTIONAL"


class SatisfactionKind(StrEnum):
    """What can stand in for an uploaded file."""

    LICENCE = "licence"
    VERIFIED_PROFILE_FIELD = "verified_profile_field"
    PROMISE = "promise"
    JOINT_FORM = "joint_form"


@dataclass(frozen=True, slots=True)
class SatisfiedBy:
    """One way to do without the file; exactly the attribute of its kind is set, ``JOINT_FORM`` needs none."""

    kind: SatisfactionKind
    licence_type_code: str | None = None
    field: str | None = None
    promise: str | None = None


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """One selected item: becomes one case at one department.

    ``implementation_code`` (31 characters) begins the project number. ``depends_on`` holds selected items only.
    ``statutory_limit`` is None where the source has no guide of the item: the law's own period applies
    (行政许可法 Art. 42). With ``four_eyes`` a second approver confirms the decision.
    """

    item_code: str
    item_version: int
    name: str
    item_type: str | None
    implementation_code: str
    department_id: UUID
    division: str
    depends_on: tuple[str, ...]
    dependency_mode: DependencyMode
    promised_limit: Limit | None
    statutory_limit: Limit | None
    project_type: ProjectType
    result_name: str | None
    licence_type_code: str | None
    instant_rule: str | None
    min_trust_level: int
    notify_promise: bool
    four_eyes: bool = False


@dataclass(frozen=True, slots=True)
class PlannedMaterial:
    """One material of the merged set, asked for once.

    ``items`` are the selected items that it serves; empty: it belongs to the application itself and the lead department sees it.
    ``tolerance_allowed``: the cases of ``tolerated_in`` can be accepted while it is missing 容缺受理.
    ``formats`` are media types that an upload may have.
    """

    code: str
    title: str
    necessity: Necessity
    items: tuple[str, ...]
    satisfied_by: tuple[SatisfiedBy, ...]
    tolerance_allowed: bool
    tolerated_in: tuple[str, ...]
    medium: str
    submit_way: str
    copies: int
    formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that an application of a bundle, or of a single item, consists of on one path.

    ``form_schema`` is JSON Schema 2020-12 reduced to the fields that apply, with ``x-prefill`` and ``x-items`` kept.
    ``answers`` are the normalised answers the plan rests on. While ``questions_unanswered`` is not empty the plan is
    provisional: an application on it cannot be submitted.
    """

    bundle_code: str | None
    bundle_version: int | None
    title: str
    division: str
    lead_department_id: UUID
    promised_limit: Limit | None
    items: tuple[PlannedItem, ...]
    form_schema: dict[str, Any]
    materials: tuple[PlannedMaterial, ...]
    promises: tuple[str, ...]
    answers: dict[str, str | list[str]]
    questions_unanswered: tuple[str, ...]
    min_trust_level: int

    @property
    def complete(self) -> bool:
        """Whether every question of the path is answered."""
        return not self.questions_unanswered

"""The documents of the catalogue: what a bundle 一件事 is, and the rules that hold inside one."""

import itertools
from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from acceptance_service.catalogue import rules
from acceptance_service.catalogue.definitions import (
    BundleCode,
    DepartmentRef,
    Document,
    ItemCode,
    Key,
    LimitDocument,
    MaterialBase,
    Origin,
    Text,
    Title,
    check_division,
    check_unique,
    checked_schema,
)

EVERY_ITEM = "*"
# Beyond this many complete sets of answers a bundle is not walked through at import.
_MOST_PATHS = 20_000


class Option(Document):
    """One answer to choose."""

    value: Key
    label: Text


class Question(Document):
    """One question of the scenario guidance 情形引导."""

    code: Key
    title: Text
    help: Text | None = None
    kind: Literal["single", "multi"]
    min_choices: Annotated[int, Field(ge=0)] = 1
    options: Annotated[list[Option], Field(min_length=2)]
    when: dict[str, Any] | None = None
    origin: Origin

    @model_validator(mode="after")
    def _options_are_unique(self) -> "Question":
        check_unique("options", [one.value for one in self.options])
        return self

    @property
    def values(self) -> frozenset[str]:
        return frozenset(one.value for one in self.options)


class Scenario(Document):
    """The questions, in the order they are asked."""

    questions: list[Question]


class Cooperating(Document):
    """A cooperating department 配合部门 as the guide of a region names it."""

    label: Text
    department: DepartmentRef | None


class ServicePoint(Document):
    """Where people can go in person."""

    name: Text
    address: str
    hours: str
    phone: str | None = None


class Region(Document):
    """A division in which the bundle is offered, with its own departments."""

    division: str
    portal_area_code: str | None = None
    implementation_code: Text | None = None
    lead_department: DepartmentRef
    cooperating: list[Cooperating]
    consult_phone: Text | None = None
    complaint_phone: Text | None = None
    service_points: list[ServicePoint]

    _division = field_validator("division")(check_division)


Count = Annotated[int, Field(ge=0)]


class Reform(Document):
    """The source's own figures before and after; None where it gives none."""

    steps_before: Count | None = None
    steps_after: Count | None = None
    limit_before: Count | None = None
    limit_after: Count | None = None
    materials_before: Count | None = None
    materials_after: Count | None = None
    visits_before: Count | None = None
    visits_after: Count | None = None


class BundleItem(Document):
    """An item of the bundle, and when it is selected."""

    item: ItemCode
    order: Annotated[int, Field(ge=1)]
    promised_limit: LimitDocument
    when: dict[str, Any] | None = None
    origin: Origin


class RelatedItem(Document):
    """An item outside the bundle that a person on this path should know of."""

    item: ItemCode
    note: Text
    when: dict[str, Any] | None = None
    origin: Origin


class BundleMaterial(MaterialBase):
    """A material of the merged set, and the items that need it."""

    items: list[str]
    standard_material_id: Text | None = None
    standard_certificate_code: Text | None = None
    tolerated_in: tuple[ItemCode, ...] = ()
    when: dict[str, Any] | None = None
    origin: Origin


class Sequence(Document):
    """What an item waits for."""

    item: ItemCode
    after: Annotated[list[ItemCode], Field(min_length=1)]
    mode: Literal["all", "any"] = "all"
    origin: Origin


class SourceFlaw(Document):
    """A fault of the source that was kept, and what it means."""

    code: Key
    text: Text


class Review(Document):
    """What the file itself says about its review. The review that counts is made here, by a person."""

    status: Literal["reviewed", "draft"]
    reviewed_by: Text
    note: Text


class JointForm(BaseModel):
    """JSON Schema 2020-12 of the joint form, with ``x-items``, ``x-when``, ``x-required`` and ``x-prefill``."""

    model_config = ConfigDict(frozen=True, extra="allow")

    properties: dict[Key, dict[str, Any]]
    required: list[Key]

    @model_validator(mode="after")
    def _is_a_schema(self) -> "JointForm":
        checked_schema(self.model_dump())
        unknown = set(self.required) - set(self.properties)
        if unknown:
            raise ValueError(f"required fields that do not exist: {', '.join(sorted(unknown))}")
        return self


class BundleDefinition(Document):
    """Bundle 一件事: several items as one thing, with questions, one form and one set of materials."""

    code: BundleCode
    title: Title
    state: Literal["in_review"]
    division: str
    lead_department: DepartmentRef
    regions: Annotated[list[Region], Field(min_length=1)]
    promised_limit: LimitDocument
    reform: Reform
    charged: bool
    conditions: list[Text]
    scenario: Scenario
    items: Annotated[list[BundleItem], Field(min_length=1)]
    related_items: list[RelatedItem]
    materials: list[BundleMaterial]
    form: JointForm
    sequence: list[Sequence]
    source_flaws: list[SourceFlaw]
    review: Review
    origin: Origin
    element_origins: dict[str, Origin]

    _division = field_validator("division")(check_division)

    @model_validator(mode="after")
    def _holds_together(self) -> "BundleDefinition":
        found = list(itertools.islice(_faults(self), 20))
        if found:
            raise ValueError("; ".join(found))
        return self

    @property
    def departments(self) -> frozenset[str]:
        """Every department that it refers to by itself."""
        named = {self.lead_department}
        for region in self.regions:
            named |= {
                region.lead_department,
                *(one.department for one in region.cooperating if one.department),
            }
        return frozenset(named)


def _faults(bundle: BundleDefinition) -> Iterator[str]:
    codes = [one.item for one in bundle.items]
    yield from _repeated("items", codes)
    yield from _repeated("materials", [one.code for one in bundle.materials])
    yield from _repeated("questions", [one.code for one in bundle.scenario.questions])
    yield from _repeated("regions", [one.division for one in bundle.regions])
    yield from _reference_faults(bundle, frozenset(codes))
    yield from _sequence_faults(bundle, frozenset(codes))
    broken = [*_question_faults(bundle), *_rule_faults(bundle)]
    yield from broken or _empty_paths(bundle)  # no path can be walked by broken rules


def _repeated(what: str, codes: list[str]) -> Iterator[str]:
    try:
        check_unique(what, codes)
    except ValueError as error:
        yield str(error)


def options_of(bundle: BundleDefinition) -> dict[str, tuple[frozenset[str], bool]]:
    """The options of every question, for checking rules."""
    return {one.code: (one.values, one.kind == "multi") for one in bundle.scenario.questions}


def _question_faults(bundle: BundleDefinition) -> Iterator[str]:
    """A question's rule refers to earlier questions only."""
    earlier: dict[str, tuple[frozenset[str], bool]] = {}
    for question in bundle.scenario.questions:
        if question.when is not None:
            for fault in rules.faults(question.when, earlier):
                yield f"questions/{question.code}: {fault}"
        earlier[question.code] = (question.values, question.kind == "multi")


def _rule_faults(bundle: BundleDefinition) -> Iterator[str]:
    options = options_of(bundle)
    places = [
        *((f"items/{one.item}", one.when) for one in bundle.items),
        *((f"related_items/{one.item}", one.when) for one in bundle.related_items),
        *((f"materials/{one.code}", one.when) for one in bundle.materials),
        *(
            (f"materials/{one.code}/satisfied_by", way.when)
            for one in bundle.materials
            for way in one.satisfied_by
        ),
        *((f"form/{name}", field.get("x-when")) for name, field in bundle.form.properties.items()),
    ]
    for place, rule in places:
        for fault in rules.faults(rule, options) if rule is not None else ():
            yield f"{place}: {fault}"


def _reference_faults(bundle: BundleDefinition, items: frozenset[str]) -> Iterator[str]:
    for material in bundle.materials:
        if material.items != [EVERY_ITEM]:
            for code in set(material.items) - items:
                yield f"materials/{material.code}: no item {code}"
        for code in set(material.tolerated_in) - items:
            yield f"materials/{material.code}: tolerated in {code}, which is no item"
    for name, field in bundle.form.properties.items():
        if not {"title", "x-items", "x-required"} <= field.keys():
            yield f"form/{name}: title, x-items and x-required are needed"
        elif not _are_texts(field["x-items"]):
            yield f"form/{name}: x-items is a list of item codes"
        elif field["x-items"] != [EVERY_ITEM]:
            for code in set(field["x-items"]) - items:
                yield f"form/{name}: no item {code}"


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _sequence_faults(bundle: BundleDefinition, items: frozenset[str]) -> Iterator[str]:
    waits = {one.item: set(one.after) for one in bundle.sequence}
    if len(waits) != len(bundle.sequence):
        yield "sequence: an item stands there twice"
    for item, after in waits.items():
        for code in ({item} | after) - items:
            yield f"sequence: no item {code}"
    left = {code: waits.get(code, set()) & items for code in items}
    while left:
        free = {code for code, after in left.items() if not after & left.keys()}
        if not free:
            yield f"sequence: {', '.join(sorted(left))} wait for each other"
            return
        for code in free:
            del left[code]


def complete_paths(bundle: BundleDefinition) -> Iterator[dict[str, str | list[str]]]:
    """Every complete set of answers; of a multiple choice each single option, and all of them together."""

    def walk(
        rest: list[Question], answers: dict[str, str | list[str]]
    ) -> Iterator[dict[str, str | list[str]]]:
        if not rest:
            yield answers
            return
        question, *later = rest
        if not rules.holds(question.when, answers):
            yield from walk(later, answers)
            return
        for choice in _choices(question):
            yield from walk(later, {**answers, question.code: choice})

    yield from walk(list(bundle.scenario.questions), {})


def _choices(question: Question) -> Iterator[str | list[str]]:
    values = [one.value for one in question.options]
    if question.kind == "single":
        yield from values
        return
    if question.min_choices == 0:
        yield []
    if question.min_choices <= 1:
        yield from ([one] for one in values)
    yield values


def _empty_paths(bundle: BundleDefinition) -> Iterator[str]:
    for answers in itertools.islice(complete_paths(bundle), _MOST_PATHS):
        if not any(rules.holds(one.when, answers) for one in bundle.items):
            yield f"the answers {answers} select no item"
            return

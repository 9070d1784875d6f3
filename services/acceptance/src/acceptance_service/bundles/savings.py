"""What a bundle spares, computed from the catalogue for the path taken. Pure.

Before: the selected items one by one, as their own guides state. After: the bundle. Where a guide is lacking, the figure is
lacking too: the sum over the known items is a lower bound and shown as that, never as the figure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from acceptance_service.bundles.domain import Necessity, Plan, PlannedMaterial, SatisfactionKind
from acceptance_service.bundles.planning import PublishedBundle
from acceptance_service.catalogue.bundle_definition import Reform
from acceptance_service.catalogue.definitions import ItemDefinition, LimitDocument
from acceptance_service.catalogue.domain import Limit, LimitUnit


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure before and after; ``before_known`` is the sum over the items whose guide the catalogue has."""

    measure: str
    before: int | None
    before_known: int
    lacking_items: tuple[str, ...]
    after: int | None
    notes: tuple[str, ...]

    @property
    def saved(self) -> int | None:
        return None if self.before is None or self.after is None else self.before - self.after

    @property
    def saved_at_least(self) -> int | None:
        """A lower bound that holds whatever the lacking guides ask for."""
        return None if self.after is None else max(self.before_known - self.after, 0)


@dataclass(frozen=True, slots=True)
class Savings:
    """All measures of one path beside the source's own figures.

    Of the required materials after, ``materials_in_form`` are collected by the joint form, and ``materials_replaceable`` can be
    replaced by a licence, verified data or a promise, which the applicant's own application decides.
    """

    plan: Plan
    figures: tuple[Figure, ...]
    reform: Reform
    materials_in_form: int
    materials_replaceable: int


def compute_savings(bundle: PublishedBundle, plan: Plan) -> Savings:
    """Figures for a plan of this bundle."""
    items = [bundle.items[one.item_code].definition for one in plan.items]
    required = [one for one in plan.materials if one.necessity is Necessity.REQUIRED]
    figures = (
        Figure("applications", len(items), len(items), (), 1, ("每个事项单独申请一次；一件事只申请一次。",)),
        _figure("materials", items, _materials, len(required), ("只计必要材料，含容缺后补。",)),
        _figure(
            "form_fields",
            items,
            lambda item: None if item.form_fields is None else len(item.form_fields),
            len(plan.form_schema["properties"]),
            ("表单字段由目录管理人员按申请表和受理条件归纳。",),
        ),
        _figure(
            "working_days",
            items,
            lambda item: _working_days(item.promised_limit),
            _days_of(plan.promised_limit),
            ("办理前为各事项承诺时限之和（依次办理）；办理后为一件事的承诺时限。",),
        ),
        _figure("visits", items, lambda item: item.visits, *_visits_after(bundle)),
    )
    in_form = [one for one in required if SatisfactionKind.JOINT_FORM in _kinds(one)]
    replaceable = [one for one in required if one not in in_form and one.satisfied_by]
    return Savings(plan, figures, bundle.definition.reform, len(in_form), len(replaceable))


def _kinds(material: PlannedMaterial) -> set[SatisfactionKind]:
    return {way.kind for way in material.satisfied_by}


def _visits_after(bundle: PublishedBundle) -> tuple[int | None, tuple[str, ...]]:
    stated = bundle.definition.reform.visits_after
    if stated is None:
        return None, ("目录没有记载一件事办理的到现场次数。",)
    return stated, ("办理后的到现场次数取自来源的改革数据，目录没有另外的记载。",)


def _figure(
    measure: str,
    items: Sequence[ItemDefinition],
    count: Callable[[ItemDefinition], int | None],
    after: int | None,
    notes: tuple[str, ...],
) -> Figure:
    counted = {item.code: count(item) for item in items}
    lacking = tuple(code for code, value in counted.items() if value is None)
    known = sum(value for value in counted.values() if value is not None)
    if lacking:
        notes = (*notes, f"目录缺少 {len(lacking)} 个事项的办事指南，办理前的数字只能给出下限。")
    return Figure(measure, None if lacking else known, known, lacking, after, notes)


def _materials(item: ItemDefinition) -> int | None:
    if item.materials is None:
        return None
    return sum(one.necessity != "OPTIONAL" for one in item.materials)


def _working_days(limit: LimitDocument | None) -> int | None:
    return None if limit is None else _days_of(limit.limit)


def _days_of(limit: Limit | None) -> int | None:
    """Working days only: calendar days and hours are not turned into them, for the law does not."""
    return limit.value if limit is not None and limit.unit is LimitUnit.WORKDAY else None

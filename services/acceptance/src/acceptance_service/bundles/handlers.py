"""What a bundle asks, and what an application of it, or of a single item, consists of."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.bundles import repository
from acceptance_service.bundles.domain import Answers, Plan
from acceptance_service.bundles.planning import (
    PublishedBundle,
    PublishedItem,
    plan_bundle,
    plan_item,
    related_items,
)
from acceptance_service.bundles.savings import Savings, compute_savings
from acceptance_service.bundles.scenario import follow, unlisted
from acceptance_service.catalogue.domain import ApplicantKind, Completeness, GuideMissing, NoSuchEntry
from acceptance_service.divisions import read_division


async def find_bundle(session: AsyncSession, code: str) -> PublishedBundle:
    """The published version. Raises: NoSuchEntry."""
    bundle = await repository.published_bundle(session, code)
    if bundle is None:
        raise NoSuchEntry(code=code)
    return bundle


async def find_item(session: AsyncSession, code: str) -> PublishedItem:
    """The published version of an item that can be applied for alone. Raises: NoSuchEntry, GuideMissing."""
    item = await repository.published_item(session, code)
    if item is None:
        raise NoSuchEntry(code=code)
    if item.definition.completeness is not Completeness.GUIDE:
        raise GuideMissing(code=code)
    return item


async def plan_application(
    session: AsyncSession,
    *,
    bundle_code: str | None = None,
    item_code: str | None = None,
    division: str | None = None,
    answers: Answers,
) -> Plan:
    """The plan of exactly one of a bundle or an item in a division; without one, where the catalogue places it.

    On the versions published at this moment. Raises: NoSuchEntry, BadAnswers, NotOfferedThere, GuideMissing,
    BadDivision.
    """
    shown = await show_plan(
        session, bundle_code=bundle_code, item_code=item_code, division=division, answers=answers
    )
    return shown.plan


@dataclass(frozen=True, slots=True)
class ShownPlan:
    """A plan with what a person should know beside it; ``not_for_applicant`` are items that do not serve their kind."""

    plan: Plan
    related_items: tuple[tuple[str, str], ...]
    not_for_applicant: tuple[str, ...]

    @property
    def department_ids(self) -> frozenset[UUID]:
        return frozenset({self.plan.lead_department_id, *(one.department_id for one in self.plan.items)})


async def show_plan(
    session: AsyncSession,
    *,
    bundle_code: str | None = None,
    item_code: str | None = None,
    division: str | None,
    answers: Answers,
    applicant_kind: ApplicantKind | None = None,
) -> ShownPlan:
    """A plan with what stands beside it. Raises: as ``plan_application``."""
    if bundle_code is not None and item_code is None:
        bundle = await find_bundle(session, bundle_code)
        place = read_division(division or bundle.definition.division)
        plan = plan_bundle(bundle, division=place, answers=answers)
        related = related_items(bundle.definition, plan.answers)
        return ShownPlan(plan, related, _not_serving(bundle.items, plan, applicant_kind))
    if item_code is not None and bundle_code is None:
        item = await find_item(session, item_code)
        follow((), answers)
        plan = plan_item(item, division=read_division(division or item.definition.division))
        return ShownPlan(plan, (), _not_serving({item_code: item}, plan, applicant_kind))
    raise ValueError("a plan is of a bundle or of an item")


def _not_serving(
    items: Mapping[str, PublishedItem], plan: Plan, applicant_kind: ApplicantKind | None
) -> tuple[str, ...]:
    if applicant_kind is None:
        return ()
    serves = {one.item_code: items[one.item_code].definition.service_objects for one in plan.items}
    return tuple(code for code, kinds in serves.items() if kinds and applicant_kind not in kinds)


async def show_savings(
    session: AsyncSession, *, bundle_code: str, division: str | None, answers: Answers
) -> Savings:
    """What the bundle spares on a path, computed from the catalogue. Raises: NoSuchEntry, BadAnswers, NotOfferedThere."""
    bundle = await find_bundle(session, bundle_code)
    place = read_division(division or bundle.definition.division)
    plan = plan_bundle(
        bundle, division=place, answers=unlisted(bundle.definition.scenario.questions, answers)
    )
    return compute_savings(bundle, plan)

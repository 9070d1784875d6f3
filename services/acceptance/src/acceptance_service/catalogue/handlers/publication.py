"""What happens when versions come into force: departments resolved, others told, search and lists brought up to date."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.catalogue import repository
from acceptance_service.catalogue.bundle_definition import BundleDefinition
from acceptance_service.catalogue.definitions import ItemDefinition
from acceptance_service.catalogue.domain import (
    Completeness,
    DepartmentsUnknown,
    EntryKind,
    EntryState,
    ItemsNotPublished,
    ListName,
    display_title,
    division_of_theme,
)
from acceptance_service.catalogue.lists import DepartmentList, SynonymRow, ThemeRow, synonyms_of
from acceptance_service.catalogue.models import Bundle, ReferenceList, ServiceItem, Theme
from acceptance_service.catalogue.repository import Row
from acceptance_service.db import among
from acceptance_service.departments.domain import CodedDepartment, KnownDepartment
from acceptance_service.departments.handlers import find_departments, replace_department_codes
from acceptance_service.search.domain import EntryKind as SearchKind
from acceptance_service.search.handlers import Offer, index_offers, replace_synonyms, withdraw_offers
from service_common import outbox
from service_common.contracts.acceptance import BundlePublished, ItemPublished

# What the words of an entry are worth for search beside its title.
_NAME, _RESULT, _MAIN_ITEM, _ITEM_OF_BUNDLE = 0.8, 0.6, 0.4, 0.75
_UNCLASSIFIED = "未分类"


@dataclass(slots=True)
class _Source:
    """A version as the outbox sees it; the row itself is changed by statement."""

    id: UUID
    revision: int


async def put_in_force(session: AsyncSession, kind: EntryKind, rows: Sequence[Row], *, now: datetime) -> None:
    """Publishes approved versions. Raises: DepartmentsUnknown, ItemsNotPublished."""
    match kind:
        case EntryKind.ITEM:
            await _publish_items(session, [row for row in rows if isinstance(row, ServiceItem)], now)
        case EntryKind.BUNDLE:
            await _publish_bundles(session, [row for row in rows if isinstance(row, Bundle)], now)
        case EntryKind.LIST:
            for row in rows:
                await _publish_list(session, row, now)


async def _known_departments(session: AsyncSession, references: set[str]) -> Mapping[str, KnownDepartment]:
    """Raises: DepartmentsUnknown."""
    known = await find_departments(session, references)
    missing = sorted(one for one in references if one not in known or not known[one].active)
    if missing:
        shown = "、".join(missing[:20]) + ("…" if len(missing) > 20 else "")
        raise DepartmentsUnknown(missing=shown)
    return known


async def _publish_items(session: AsyncSession, rows: Sequence[ServiceItem], now: datetime) -> None:
    known = await _known_departments(session, {row.department for row in rows})
    by_department: dict[str, list[UUID]] = defaultdict(list)
    for row in rows:
        by_department[row.department].append(row.id)
    for reference, ids in by_department.items():
        await session.execute(
            update(ServiceItem)
            .where(among(ServiceItem.id, ids))
            .values(
                state=EntryState.PUBLISHED,
                published_at=now,
                department_id=known[reference].department_id,
                version=ServiceItem.version + 1,
                revision=ServiceItem.revision + 1,
            )
            .execution_options(synchronize_session=False)
        )
    await outbox.add_all(
        session,
        [
            (
                _Source(row.id, row.revision),
                ItemPublished(
                    item_code=row.code,
                    item_version=row.entry_version,
                    division=row.division,
                    department_id=known[row.department].department_id,
                ),
            )
            for row in rows
        ],
        now=now,
    )
    await index_offers(session, [_offer_of_item(row, known[row.department]) for row in rows])


def _offer_of_item(row: ServiceItem, department: KnownDepartment) -> Offer:
    item = ItemDefinition.model_validate(row.definition)
    fields = [(item.title, 1.0)]
    if item.name != item.title:
        fields.append((item.name, _NAME))
    if item.main_item and item.main_item != _UNCLASSIFIED:
        fields.append((item.main_item, _MAIN_ITEM))
    if item.result:
        fields.append((item.result.name, _RESULT))
    return Offer(
        kind=SearchKind.ITEM,
        title=item.title,
        code=row.code,
        entry_version=row.entry_version,
        divisions=(row.division,),
        department_id=department.department_id,
        applicant_kinds=tuple(row.applicant_kinds),
        has_guide=item.completeness is Completeness.GUIDE,
        fields=tuple(fields),
    )


async def _publish_bundles(session: AsyncSession, rows: Sequence[Bundle], now: datetime) -> None:
    for row in rows:
        bundle = BundleDefinition.model_validate(row.definition)
        known = await _known_departments(session, set(bundle.departments))
        items = {
            one.code: one
            for one in await repository.published(session, EntryKind.ITEM, row.item_codes)
            if isinstance(one, ServiceItem)
        }
        missing = [code for code in row.item_codes if code not in items]
        if missing:
            raise ItemsNotPublished(code=row.code, missing="、".join(missing))
        lead = known[bundle.lead_department].department_id
        await session.execute(
            update(Bundle)
            .where(Bundle.id == row.id)
            .values(
                state=EntryState.PUBLISHED,
                published_at=now,
                lead_department_id=lead,
                version=Bundle.version + 1,
                revision=Bundle.revision + 1,
            )
            .execution_options(synchronize_session=False)
        )
        event = BundlePublished(bundle_code=row.code, bundle_version=row.entry_version)
        await outbox.add_all(session, [(_Source(row.id, row.revision), event)], now=now)
        await index_offers(session, [_offer_of_bundle(row, bundle, lead, list(items.values()))])


def _offer_of_bundle(
    row: Bundle, bundle: BundleDefinition, lead: UUID, items: Sequence[ServiceItem]
) -> Offer:
    kinds = [set(one.applicant_kinds) for one in items]
    return Offer(
        kind=SearchKind.BUNDLE,
        title=bundle.title,
        code=row.code,
        entry_version=row.entry_version,
        divisions=tuple(row.offered_in),
        department_id=lead,
        # Whom every item serves is served by the whole; an item that does not say so leaves it open.
        applicant_kinds=tuple(sorted(set.union(*kinds))) if all(kinds) else (),
        has_guide=True,
        fields=((display_title(bundle.title), 1.0), *((one.name, _ITEM_OF_BUNDLE) for one in items)),
    )


async def _publish_list(session: AsyncSession, row: Row, now: datetime) -> None:
    await session.execute(
        update(ReferenceList)
        .where(ReferenceList.id == row.id)
        .values(state=EntryState.PUBLISHED, published_at=now, version=ReferenceList.version + 1)
        .execution_options(synchronize_session=False)
    )
    match ListName(row.code):
        case ListName.DEPARTMENTS:
            departments = DepartmentList.model_validate(row.definition).departments
            await replace_department_codes(
                session,
                [
                    CodedDepartment(one.code, one.uscc, one.name, one.kind, one.division)
                    for one in departments
                ],
            )
        case ListName.SYNONYMS:
            synonyms = [SynonymRow.model_validate(one) for one in row.definition["rows"]]
            await replace_synonyms(session, synonyms_of(synonyms))
        case ListName.THEMES:
            await _replace_themes(session, [ThemeRow.model_validate(one) for one in row.definition["rows"]])


async def _replace_themes(session: AsyncSession, themes: Sequence[ThemeRow]) -> None:
    before = list(await session.scalars(delete(Theme).returning(Theme.code)))
    await session.execute(
        insert(Theme),
        [
            {
                "code": one.code,
                "title": one.title,
                "region_guides": one.region_guides,
                "distinct_versions": one.distinct_versions,
                "has_guide": one.guide != "none",
            }
            for one in themes
        ],
    )
    await withdraw_offers(session, sorted(set(before) - {one.code for one in themes}))
    await _index_themes(session, [one.code for one in themes])


async def _index_themes(session: AsyncSession, codes: Sequence[str]) -> None:
    """Themes are found by their titles as long as no bundle of the same code is published."""
    bundles = {row.code for row in await repository.published(session, EntryKind.BUNDLE, codes)}
    themes = await session.scalars(select(Theme).where(among(Theme.code, set(codes) - bundles)))
    await index_offers(
        session,
        [
            Offer(
                kind=SearchKind.THEME,
                title=one.title,
                code=one.code,
                entry_version=None,
                divisions=(division_of_theme(one.code),),
                department_id=None,
                applicant_kinds=(),
                has_guide=False,
                fields=((display_title(one.title), 1.0),),
            )
            for one in themes
        ],
    )


async def take_out_of_force(session: AsyncSession, kind: EntryKind, rows: Sequence[Row]) -> None:
    """Takes retired versions out of search; a bundle's theme is found again."""
    codes = [row.code for row in rows]
    await withdraw_offers(session, codes)
    if kind is EntryKind.BUNDLE:
        await _index_themes(session, codes)

"""Reading published bundles and items for plans.

A published version never changes, so its parsed definition is kept in the process by the row's id. What a bundle consists of is
kept for as long as the edition of the catalogue lasts; which edition is in force is asked every time.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.bundles.planning import PublishedBundle, PublishedItem
from acceptance_service.catalogue.bundle_definition import BundleDefinition
from acceptance_service.catalogue.definitions import ItemDefinition
from acceptance_service.catalogue.domain import EntryState
from acceptance_service.catalogue.models import Bundle, CatalogueEdition, ServiceItem
from acceptance_service.departments.handlers import find_departments

DocumentT = TypeVar("DocumentT", bound=BaseModel)

_KEPT_DEFINITIONS = 500


class _Definitions(Generic[DocumentT]):
    """Parsed definitions of one kind, the last used ones."""

    def __init__(self, model: type[DocumentT], rows: type[Bundle] | type[ServiceItem]) -> None:
        self._model = model
        self._rows = rows
        self._kept: OrderedDict[UUID, DocumentT] = OrderedDict()

    async def load(self, session: AsyncSession, ids: Sequence[UUID]) -> Mapping[UUID, DocumentT]:
        """The definitions of some versions, read from the database where they are not known yet."""
        loaded = {one: self._kept[one] for one in ids if one in self._kept}
        missing = [one for one in ids if one not in loaded]
        if missing:
            found = await session.execute(
                select(self._rows.id, self._rows.definition).where(self._rows.id.in_(missing))
            )
            loaded |= {row.id: self._model.model_validate(row.definition) for row in found}
        for one, definition in loaded.items():
            self._kept[one] = definition
            self._kept.move_to_end(one)
        while len(self._kept) > _KEPT_DEFINITIONS:
            self._kept.popitem(last=False)
        return loaded


_bundles = _Definitions(BundleDefinition, Bundle)
_items = _Definitions(ItemDefinition, ServiceItem)


class _Edition:
    """The bundles that were read of one edition of the catalogue; there are tens of them, not thousands as of items."""

    def __init__(self, edition: UUID | None) -> None:
        self.edition = edition
        self.bundles: dict[str, PublishedBundle] = {}


_last_seen = _Edition(None)
_IN_FORCE = select(CatalogueEdition.edition)


async def _edition_in_force(session: AsyncSession) -> _Edition:
    """Asked before anything is read: what a later statement reads may be newer, but then this edition is over."""
    global _last_seen  # noqa: PLW0603 - the memory of the process
    edition = await session.scalar(_IN_FORCE)
    # None: nothing that a plan rests on was ever written.
    if edition is None or edition != _last_seen.edition:
        _last_seen = _Edition(edition)
    return _last_seen


async def published_bundle(session: AsyncSession, code: str) -> PublishedBundle | None:
    """The published version of a bundle with everything that a plan needs."""
    kept = (await _edition_in_force(session)).bundles
    if code not in kept:
        bundle = await _read_bundle(session, code)
        if bundle is None:
            return None
        kept[code] = bundle
    return kept[code]


async def _read_bundle(session: AsyncSession, code: str) -> PublishedBundle | None:
    row = (
        await session.execute(
            select(Bundle.id, Bundle.entry_version, Bundle.item_codes).where(
                Bundle.code == code, Bundle.state == EntryState.PUBLISHED
            )
        )
    ).first()
    if row is None:
        return None
    definition = (await _bundles.load(session, [row.id]))[row.id]
    rows = await _published_item_rows(session, row.item_codes)
    references = definition.departments | {one.department for one in rows}
    departments = await find_departments(session, references)
    definitions = await _items.load(session, [one.id for one in rows])
    items = {
        one.code: PublishedItem(definitions[one.id], one.entry_version, departments[one.department])
        for one in rows
    }
    return PublishedBundle(definition, row.entry_version, items, departments)


async def published_item(session: AsyncSession, code: str) -> PublishedItem | None:
    """The published version of an item."""
    rows = await _published_item_rows(session, [code])
    if not rows:
        return None
    (row,) = rows
    definitions = await _items.load(session, [row.id])
    departments = await find_departments(session, [row.department])
    return PublishedItem(definitions[row.id], row.entry_version, departments[row.department])


async def _published_item_rows(
    session: AsyncSession, codes: Sequence[str]
) -> Sequence[Row[UUID, str, int, str]]:
    found = await session.execute(
        select(ServiceItem.id, ServiceItem.code, ServiceItem.entry_version, ServiceItem.department).where(
            ServiceItem.code.in_(codes), ServiceItem.state == EntryState.PUBLISHED
        )
    )
    return found.all()

"""The way of drafts into force: submitted, reviewed by a second person, published; one version or all of an import."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.catalogue import repository
from acceptance_service.catalogue.domain import (
    Action,
    EntryKind,
    EntryState,
    NoSuchEntry,
    NothingInThatState,
    StillInUse,
    check_four_eyes,
    next_state,
)
from acceptance_service.catalogue.handlers.imports import ImportProgress, import_progress
from acceptance_service.catalogue.handlers.publication import put_in_force, take_out_of_force
from acceptance_service.catalogue.models import Bundle, CatalogueReview
from acceptance_service.catalogue.repository import ROWS, Row
from acceptance_service.db import among
from service_common.db import new_id
from service_common.etag import check_version

# From which state a bulk action takes the versions of an import.
_TAKES = {
    Action.SUBMIT_REVIEW: (EntryState.DRAFT,),
    Action.APPROVE: (EntryState.IN_REVIEW,),
    Action.SEND_BACK: (EntryState.IN_REVIEW, EntryState.APPROVED),
    Action.PUBLISH: (EntryState.APPROVED,),
}


@dataclass(frozen=True, slots=True)
class Decision:
    """What an operator does, and why."""

    action: Action
    operator: str
    note: str | None
    now: datetime


async def act_on_import(session: AsyncSession, import_id: UUID, decision: Decision) -> ImportProgress:
    """Takes every version of an import one step further; versions that are elsewhere are left alone.

    Raises: NoSuchImport, NothingInThatState, OwnReview, DepartmentsUnknown, ItemsNotPublished.
    """
    progress = await import_progress(session, import_id)
    kind = progress.row.kind.entry_kind
    rows = await repository.rows_of_import(session, kind, import_id, _TAKES[decision.action])
    if not rows:
        raise NothingInThatState(action=decision.action)
    await _take_further(session, kind, rows, decision)
    return await import_progress(session, import_id)


async def act_on_version(
    session: AsyncSession,
    kind: EntryKind,
    code: str,
    entry_version: int,
    decision: Decision,
    *,
    expected_version: int,
) -> Row:
    """Takes one version a step further.

    Raises: NoSuchEntry, Stale, NotInThatState, OwnReview, DepartmentsUnknown, ItemsNotPublished, StillInUse.
    """
    row = await repository.version_of(session, kind, code, entry_version, lock=True)
    if row is None:
        raise NoSuchEntry(code=code)
    check_version(row.version, expected_version)
    await _take_further(session, kind, [row], decision)
    await session.refresh(row)
    return row


async def _take_further(
    session: AsyncSession, kind: EntryKind, rows: Sequence[Row], decision: Decision
) -> None:
    following = {next_state(row.code, row.entry_version, row.state, decision.action) for row in rows}
    (state,) = following
    match decision.action:
        case Action.SUBMIT_REVIEW:
            await _move(session, kind, rows, state=state, submitted_by=decision.operator)
        case Action.APPROVE:
            for row in rows:
                check_four_eyes(
                    brought_in_by=row.brought_in_by, submitted_by=row.submitted_by, reviewer=decision.operator
                )
            await _move(session, kind, rows, state=state)
            await _record_review(session, kind, rows, decision)
        case Action.SEND_BACK:
            await _move(session, kind, rows, state=state, submitted_by=None)
            await _record_review(session, kind, rows, decision)
        case Action.PUBLISH:
            await _retire_predecessors(session, kind, rows, decision.now)
            await put_in_force(session, kind, rows, now=decision.now)
        case Action.RETIRE:
            await _retire(session, kind, rows, decision.now)


async def _move(session: AsyncSession, kind: EntryKind, rows: Sequence[Row], **values: object) -> None:
    model = ROWS[kind]
    await session.execute(
        update(model)
        .where(among(model.id, [row.id for row in rows]))
        .values(version=model.version + 1, **values)
        .execution_options(synchronize_session=False)
    )


async def _record_review(
    session: AsyncSession, kind: EntryKind, rows: Sequence[Row], decision: Decision
) -> None:
    await session.execute(
        insert(CatalogueReview),
        [
            {
                "id": new_id(),
                "kind": kind,
                "entry_id": row.id,
                "code": row.code,
                "entry_version": row.entry_version,
                "action": decision.action,
                "reviewed_by": decision.operator,
                "reviewed_at": decision.now,
                "note": decision.note,
                "compiled_elements": row.compiled_elements,
            }
            for row in rows
        ],
    )


async def _retire_predecessors(
    session: AsyncSession, kind: EntryKind, rows: Sequence[Row], now: datetime
) -> None:
    model = ROWS[kind]
    await session.execute(
        update(model)
        .where(among(model.code, [row.code for row in rows]), model.state == EntryState.PUBLISHED)
        .values(state=EntryState.RETIRED, retired_at=now, version=model.version + 1)
        .execution_options(synchronize_session=False)
    )


async def _retire(session: AsyncSession, kind: EntryKind, rows: Sequence[Row], now: datetime) -> None:
    in_force = [row for row in rows if row.state is EntryState.PUBLISHED]
    if kind is EntryKind.ITEM:
        await _refuse_when_bundled(session, [row.code for row in in_force])
    await _move(session, kind, rows, state=EntryState.RETIRED, retired_at=now)
    if in_force:
        await take_out_of_force(session, kind, in_force)


async def _refuse_when_bundled(session: AsyncSession, codes: Sequence[str]) -> None:
    using = await session.execute(
        select(Bundle.code, Bundle.item_codes).where(
            Bundle.state == EntryState.PUBLISHED, Bundle.item_codes.overlap(codes)
        )
    )
    by_item = defaultdict(list)
    for bundle in using:
        for code in set(bundle.item_codes) & set(codes):
            by_item[code].append(bundle.code)
    for code, bundles in by_item.items():
        raise StillInUse(code=code, bundles="、".join(sorted(bundles)))


async def reviews_of(
    session: AsyncSession, kind: EntryKind, code: str, entry_version: int
) -> Sequence[CatalogueReview]:
    """Who reviewed a version, oldest first."""
    found = await session.scalars(
        select(CatalogueReview)
        .where(
            CatalogueReview.kind == kind,
            CatalogueReview.code == code,
            CatalogueReview.entry_version == entry_version,
        )
        .order_by(CatalogueReview.id)
    )
    return found.all()

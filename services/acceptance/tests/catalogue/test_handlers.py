"""Import, review and publication on the real database: rows, events and the search index."""

import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.catalogue.domain import (
    Action,
    BadFile,
    DepartmentsUnknown,
    EntryKind,
    EntryState,
    ImportKind,
    ItemsNotPublished,
    NothingInThatState,
    OwnReview,
    StillInUse,
)
from acceptance_service.catalogue.handlers.imports import ImportProgress, import_file
from acceptance_service.catalogue.handlers.reading import list_themes, read_published
from acceptance_service.catalogue.handlers.review import Decision, act_on_import, act_on_version, reviews_of
from acceptance_service.catalogue.models import ServiceItem
from acceptance_service.departments.models import Department
from acceptance_service.search.handlers import Wish, search_catalogue
from service_common.contracts.acceptance import BundlePublished, ItemPublished
from service_common.contracts.envelope import CloudEvent
from service_common.departments import DepartmentState, keep_departments
from service_common.errors import Stale
from service_common.tables import outbox

EDITOR, REVIEWER = "staff:editor", "staff:reviewer"
USCC = "11990300LB00002305"
DEPARTMENT = uuid.uuid5(uuid.NAMESPACE_URL, USCC)
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


def document(code: str = "ITEM-1", name: str = "合成小卖铺许可", **changes: Any) -> dict[str, Any]:
    return {
        "code": code,
        "name": name,
        "handling_name": None,
        "department": USCC,
        "department_origin": "portal",
        "division": "430300000000",
        "completeness": "link_only",
        "min_trust_level": 2,
        "instant_rule": None,
        "origin": {"kind": "source", "source": "synthetic"},
        "element_origins": {"min_trust_level": {"kind": "compiled", "evidence": "synthetic"}},
        **changes,
    }


def lines(*documents: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(one, ensure_ascii=False) for one in documents).encode()


async def bring(session: AsyncSession, body: bytes, kind: ImportKind = ImportKind.ITEMS) -> ImportProgress:
    return await import_file(session, kind=kind, body=body, operator=EDITOR, now=NOW)


async def act(session: AsyncSession, progress: ImportProgress, *actions: Action) -> ImportProgress:
    for action in actions:
        operator = REVIEWER if action is Action.APPROVE else EDITOR
        progress = await act_on_import(session, progress.row.id, Decision(action, operator, None, NOW))
    return progress


async def publish(session: AsyncSession, progress: ImportProgress) -> ImportProgress:
    return await act(session, progress, Action.SUBMIT_REVIEW, Action.APPROVE, Action.PUBLISH)


async def know_department(session: AsyncSession, *, active: bool = True, revision: int = 1) -> None:
    state = DepartmentState(
        id=DEPARTMENT,
        uscc=USCC,
        name="合成市场监督管理局",
        short_name="合成市监局",
        division="430300000000",
        parent_id=None,
        active=active,
        revision=revision,
    )
    await keep_departments(session, Department, [state])


async def versions(session: AsyncSession, code: str = "ITEM-1") -> list[tuple[int, EntryState]]:
    found = await session.execute(
        select(ServiceItem.entry_version, ServiceItem.state)
        .where(ServiceItem.code == code)
        .order_by(ServiceItem.entry_version)
    )
    return [(row.entry_version, row.state) for row in found]


async def found_titles(session: AsyncSession, text: str) -> list[str]:
    wish = Wish(text=text, division=None, applicant_kind=None, limit=5, after=None)
    return [one.title for one in await search_catalogue(session, wish)]


async def test_one_bad_row_keeps_the_whole_file_out(session: AsyncSession) -> None:
    with pytest.raises(BadFile):
        await bring(session, lines(document(), document("ITEM-2", colour="red")))
    assert await session.scalar(select(func.count()).select_from(ServiceItem)) == 0


async def test_the_same_file_again_changes_nothing_and_gives_the_same_import(session: AsyncSession) -> None:
    body = lines(document(), document("ITEM-2"))
    first = await bring(session, body)
    again = await bring(session, body)
    assert again.row.id == first.row.id
    assert await versions(session) == [(1, EntryState.DRAFT)]


async def test_only_changed_definitions_become_new_versions(session: AsyncSession) -> None:
    await know_department(session)
    await publish(session, await bring(session, lines(document(), document("ITEM-2"))))
    progress = await bring(session, lines(document(name="合成大卖场许可"), document("ITEM-2")))
    assert (progress.row.rows_new, progress.rows_unchanged) == (1, 1)
    assert await versions(session) == [(1, EntryState.PUBLISHED), (2, EntryState.DRAFT)]
    assert await versions(session, "ITEM-2") == [(1, EntryState.PUBLISHED)]


async def test_a_draft_is_overtaken_by_the_next_import(session: AsyncSession) -> None:
    await bring(session, lines(document()))
    await bring(session, lines(document(name="合成大卖场许可")))
    assert await versions(session) == [(1, EntryState.RETIRED), (2, EntryState.DRAFT)]


async def test_who_imported_cannot_approve(session: AsyncSession) -> None:
    progress = await act(session, await bring(session, lines(document())), Action.SUBMIT_REVIEW)
    with pytest.raises(OwnReview):
        await act_on_import(session, progress.row.id, Decision(Action.APPROVE, EDITOR, None, NOW))


async def test_a_review_keeps_who_answered_for_which_compiled_elements(session: AsyncSession) -> None:
    await act(session, await bring(session, lines(document())), Action.SUBMIT_REVIEW, Action.APPROVE)
    (review,) = await reviews_of(session, EntryKind.ITEM, "ITEM-1", 1)
    assert (review.reviewed_by, review.action) == (REVIEWER, Action.APPROVE)
    assert review.compiled_elements == ["/element_origins/min_trust_level"]


async def test_what_was_sent_back_can_be_submitted_again(session: AsyncSession) -> None:
    progress = await act(session, await bring(session, lines(document())), Action.SUBMIT_REVIEW)
    await act_on_import(session, progress.row.id, Decision(Action.SEND_BACK, REVIEWER, "依据不足", NOW))
    assert await versions(session) == [(1, EntryState.DRAFT)]
    await act(session, progress, Action.SUBMIT_REVIEW)
    assert await versions(session) == [(1, EntryState.IN_REVIEW)]


async def test_an_action_with_nothing_to_act_on_is_refused(session: AsyncSession) -> None:
    progress = await bring(session, lines(document()))
    with pytest.raises(NothingInThatState):
        await act(session, progress, Action.PUBLISH)


async def test_publishing_waits_for_the_department(session: AsyncSession) -> None:
    progress = await act(
        session, await bring(session, lines(document())), Action.SUBMIT_REVIEW, Action.APPROVE
    )
    with pytest.raises(DepartmentsUnknown) as refused:
        await act(session, progress, Action.PUBLISH)
    assert USCC in refused.value.sentence("zh")
    await know_department(session)
    await act(session, progress, Action.PUBLISH)
    assert await versions(session) == [(1, EntryState.PUBLISHED)]


async def test_a_closed_department_publishes_nothing(session: AsyncSession) -> None:
    await know_department(session, active=False)
    progress = await act(
        session, await bring(session, lines(document())), Action.SUBMIT_REVIEW, Action.APPROVE
    )
    with pytest.raises(DepartmentsUnknown):
        await act(session, progress, Action.PUBLISH)


async def test_publication_is_told_to_the_others(session: AsyncSession) -> None:
    await know_department(session)
    await publish(session, await bring(session, lines(document(), document("ITEM-2"))))
    rows = (await session.execute(select(outbox).order_by(outbox.c.id))).all()
    events = [CloudEvent[ItemPublished].model_validate(row.event) for row in rows]
    assert [(one.data.item_code, one.data.item_version, one.revision) for one in events] == [
        ("ITEM-1", 1, 1),
        ("ITEM-2", 1, 1),
    ]
    assert {one.data.department_id for one in events} == {DEPARTMENT}


async def test_a_new_version_takes_the_place_of_the_published_one(session: AsyncSession) -> None:
    await know_department(session)
    await publish(session, await bring(session, lines(document())))
    await publish(session, await bring(session, lines(document(name="合成大卖场许可"))))
    assert await versions(session) == [(1, EntryState.RETIRED), (2, EntryState.PUBLISHED)]
    assert await found_titles(session, "合成大卖场") == ["合成大卖场许可"]
    assert await found_titles(session, "小卖铺") == []


async def test_nothing_but_the_published_is_found(session: AsyncSession) -> None:
    await know_department(session)
    progress = await act(
        session, await bring(session, lines(document())), Action.SUBMIT_REVIEW, Action.APPROVE
    )
    assert await found_titles(session, "合成小卖铺") == []
    await act(session, progress, Action.PUBLISH)
    assert await found_titles(session, "合成小卖铺") == ["合成小卖铺许可"]


async def test_a_decision_on_an_older_version_of_the_row_is_stale(session: AsyncSession) -> None:
    await bring(session, lines(document()))
    decision = Decision(Action.SUBMIT_REVIEW, EDITOR, None, NOW)
    with pytest.raises(Stale):
        await act_on_version(session, EntryKind.ITEM, "ITEM-1", 1, decision, expected_version=7)
    row = await act_on_version(session, EntryKind.ITEM, "ITEM-1", 1, decision, expected_version=1)
    assert (row.state, row.version) == (EntryState.IN_REVIEW, 2)


async def test_a_retired_item_is_neither_listed_nor_found(session: AsyncSession) -> None:
    await know_department(session)
    await publish(session, await bring(session, lines(document())))
    row = await read_published(session, EntryKind.ITEM, "ITEM-1")
    retire = Decision(Action.RETIRE, EDITOR, None, NOW)
    await act_on_version(session, EntryKind.ITEM, "ITEM-1", 1, retire, expected_version=row.version)
    assert await versions(session) == [(1, EntryState.RETIRED)]
    assert await found_titles(session, "合成小卖铺") == []


async def test_a_bundled_item_stays(catalogue_session: AsyncSession) -> None:
    row = await read_published(catalogue_session, EntryKind.ITEM, "HN-430300-000131024000-01")
    retire = Decision(Action.RETIRE, EDITOR, None, NOW)
    with pytest.raises(StillInUse) as refused:
        await act_on_version(
            catalogue_session,
            EntryKind.ITEM,
            row.code,
            row.entry_version,
            retire,
            expected_version=row.version,
        )
    assert "43TCP0018" in refused.value.sentence("zh")


async def test_a_bundle_waits_for_its_items(catalogue_session: AsyncSession) -> None:
    row = await read_published(catalogue_session, EntryKind.BUNDLE, "43TCP0018")
    changed = {**row.definition, "charged": True}
    progress = await bring(
        catalogue_session, json.dumps(changed, ensure_ascii=False).encode(), ImportKind.BUNDLE
    )
    await act(catalogue_session, progress, Action.SUBMIT_REVIEW, Action.APPROVE)
    await catalogue_session.execute(
        update(ServiceItem)
        .where(ServiceItem.code == "HN-430300-000131024000-01")
        .values(state=EntryState.RETIRED)
    )
    with pytest.raises(ItemsNotPublished) as refused:
        await act(catalogue_session, progress, Action.PUBLISH)
    assert "HN-430300-000131024000-01" in refused.value.sentence("en")


async def test_a_published_bundle_is_told_to_the_others(catalogue_session: AsyncSession) -> None:
    found = await catalogue_session.execute(
        select(outbox.c.event).where(outbox.c.subject == BundlePublished.subject)
    )
    codes = {CloudEvent[BundlePublished].model_validate(row.event).data.bundle_code for row in found}
    assert len(codes) == 12
    assert "43TCP0018" in codes


async def test_every_theme_is_listed_and_those_without_guide_say_so(catalogue_session: AsyncSession) -> None:
    themes = await list_themes(catalogue_session, after=None, limit=101)
    assert len(themes) == 58
    with_bundle = [theme.code for theme, version in themes if version is not None]
    assert len(with_bundle) == 12


async def test_a_theme_is_found_again_when_its_bundle_retires(catalogue_session: AsyncSession) -> None:
    row = await read_published(catalogue_session, EntryKind.BUNDLE, "43TCP0018")
    retire = Decision(Action.RETIRE, EDITOR, None, NOW)
    await act_on_version(
        catalogue_session, EntryKind.BUNDLE, row.code, row.entry_version, retire, expected_version=row.version
    )
    wish = Wish(text="便利店", division=None, applicant_kind=None, limit=1, after=None)
    first, *_ = await search_catalogue(catalogue_session, wish)
    assert (first.code, first.has_guide) == ("43TCP0018", False)

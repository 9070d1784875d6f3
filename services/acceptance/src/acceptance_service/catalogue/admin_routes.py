"""The catalogue's administration 目录管理: import, review by a second person, publication."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from acceptance_service.catalogue.admin_schemas import (
    DecisionNote,
    EntryRead,
    EntrySummary,
    ImportRead,
    ImportSummary,
    ReviewRead,
)
from acceptance_service.catalogue.domain import Action, EntryKind, EntryState, ImportKind
from acceptance_service.catalogue.handlers import imports, reading, review
from acceptance_service.catalogue.handlers.review import Decision
from acceptance_service.catalogue.schemas import EntryCodePath, VersionPath
from service_common.app import Now, api_router
from service_common.auth import Caller, require, scope
from service_common.db import Session
from service_common.etag import ExpectedVersion, set_etag
from service_common.idempotency import Once
from service_common.pages import Page, Paging

CATALOGUE_READ = scope(
    "acceptance:catalogue.read",
    zh="查看目录的全部版本",
    en="Read every version of the catalogue",
    roles={"operator", "supervisor"},
)
CATALOGUE_EDIT = scope(
    "acceptance:catalogue.edit",
    zh="导入、提交和停用目录内容",
    en="Import, submit and retire catalogue content",
    roles={"operator", "service"},
)
CATALOGUE_REVIEW = scope(
    "acceptance:catalogue.review",
    zh="复核和发布目录内容",
    en="Review and publish catalogue content",
    roles={"operator"},  # four eyes are people's
)

router = api_router("catalogue administration", prefix="/acceptance/v1/catalogue")


@dataclass(frozen=True, slots=True)
class Acting:
    """Who does something with the catalogue, when and why."""

    operator: str
    note: str | None
    now: datetime

    def decide(self, action: Action) -> Decision:
        return Decision(action, self.operator, self.note, self.now)


def _who(caller: Caller) -> str:
    return f"{caller.subject_type}:{caller.subject_id}"


async def _as_editor(
    caller: Annotated[Caller, require(CATALOGUE_EDIT)],
    _once: Once,
    now: Now,
    body: DecisionNote | None = None,
) -> Acting:
    return Acting(_who(caller), body.note if body else None, now)


async def _as_reviewer(
    caller: Annotated[Caller, require(CATALOGUE_REVIEW)],
    _once: Once,
    now: Now,
    body: DecisionNote | None = None,
) -> Acting:
    return Acting(_who(caller), body.note if body else None, now)


async def _as_importer(caller: Annotated[Caller, require(CATALOGUE_EDIT)], _once: Once, now: Now) -> Acting:
    return Acting(_who(caller), None, now)


Importer = Annotated[Acting, Depends(_as_importer)]
Editor = Annotated[Acting, Depends(_as_editor)]
Reviewer = Annotated[Acting, Depends(_as_reviewer)]


@dataclass(frozen=True, slots=True)
class Target:
    """The version that an action is about, and the ETag that it rests on."""

    kind: EntryKind
    code: str
    entry_version: int
    expected: int


async def _target(
    kind: EntryKind, code: EntryCodePath, entry_version: VersionPath, expected: ExpectedVersion
) -> Target:
    return Target(kind, code, entry_version, expected)


TargetVersion = Annotated[Target, Depends(_target)]


@router.post(
    "/imports",
    status_code=201,
    summary="Import a file into the catalogue",
    description=(
        "The body is the file itself, at most 20 MB: items as JSON Lines, a bundle or the departments as JSON, themes or synonyms as CSV. "
        "It is loaded whole or not at all: 422 `bad_rows` names every bad row by `/lines/{line}/{pointer}`. An unchanged row "
        "is left alone, a changed one becomes a new draft version. The same file again answers with its earlier import."
    ),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/x-ndjson": {"schema": {"type": "string"}},
                "application/json": {"schema": {"type": "object"}},
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "word,means,note\n小卖部,便利店|超市,开店\n",
                },
            },
        }
    },
)
async def import_file(
    importing: Importer,
    session: Session,
    request: Request,
    kind: Annotated[ImportKind, Query(description="What the file holds.")],
) -> ImportRead:
    progress = await imports.import_file(
        session, kind=kind, body=await request.body(), operator=importing.operator, now=importing.now
    )
    return ImportRead.of(progress)


@router.get(
    "/imports",
    summary="Imports, newest first",
    description="What was brought in, by whom, and when.",
)
async def list_imports(
    _caller: Annotated[Caller, require(CATALOGUE_READ)], session: Session, paging: Paging
) -> Page[ImportSummary]:
    after = paging.after(UUID)
    rows = await imports.list_imports(session, after=after[0] if after else None, limit=paging.limit + 1)
    return paging.page(rows, lambda row: (row.id,), ImportSummary.model_validate)


@router.get(
    "/imports/{import_id}",
    summary="An import and how far its versions are",
    description="`states` counts its versions by state.",
)
async def read_import(
    _caller: Annotated[Caller, require(CATALOGUE_READ)], session: Session, import_id: UUID
) -> ImportRead:
    return ImportRead.of(await imports.import_progress(session, import_id))


async def _act_on_import(session: Session, import_id: UUID, acting: Acting, action: Action) -> ImportRead:
    return ImportRead.of(await review.act_on_import(session, import_id, acting.decide(action)))


@router.post(
    "/imports/{import_id}/submit-review",
    summary="Submit all drafts of an import for review",
    description="409 `nothing_in_that_state` when no version of it is a draft.",
)
async def submit_import(acting: Editor, session: Session, import_id: UUID) -> ImportRead:
    return await _act_on_import(session, import_id, acting, Action.SUBMIT_REVIEW)


@router.post(
    "/imports/{import_id}/approve",
    summary="Approve all versions of an import that wait for review",
    description="By another operator than the one who imported or submitted: 403 `own_review`. Who reviewed which compiled elements is kept.",
)
async def approve_import(acting: Reviewer, session: Session, import_id: UUID) -> ImportRead:
    return await _act_on_import(session, import_id, acting, Action.APPROVE)


@router.post(
    "/imports/{import_id}/send-back",
    summary="Send all versions of an import back to draft",
    description="From review or approval; the note says why.",
)
async def send_import_back(acting: Reviewer, session: Session, import_id: UUID) -> ImportRead:
    return await _act_on_import(session, import_id, acting, Action.SEND_BACK)


@router.post(
    "/imports/{import_id}/publish",
    summary="Publish all approved versions of an import",
    description=(
        "Earlier published versions of the same codes retire. 409 `departments_unknown` while identity has not told of a department, "
        "409 `items_not_published` for a bundle before its items."
    ),
)
async def publish_import(acting: Reviewer, session: Session, import_id: UUID) -> ImportRead:
    return await _act_on_import(session, import_id, acting, Action.PUBLISH)


@router.get(
    "/{kind}",
    summary="Versions in one state",
    description="What waits for a reviewer, or is a draft, in the order of codes.",
)
async def list_entries(
    _caller: Annotated[Caller, require(CATALOGUE_READ)],
    session: Session,
    paging: Paging,
    kind: EntryKind,
    state: Annotated[EntryState, Query()] = EntryState.IN_REVIEW,
) -> Page[EntrySummary]:
    after = paging.after(str, int)
    rows = await reading.list_of_state(
        session, kind, state, after=(after[0], after[1]) if after else None, limit=paging.limit + 1
    )
    return paging.page(
        rows, lambda row: (row.code, row.entry_version), lambda row: EntrySummary.of(kind, row)
    )


@router.get(
    "/{kind}/{code}/versions/{entry_version}",
    summary="One version, whatever its state",
    description="With the compiled elements that need a review. The ETag is what deciding actions ask back.",
)
async def read_version(
    _caller: Annotated[Caller, require(CATALOGUE_READ)],
    response: Response,
    session: Session,
    kind: EntryKind,
    code: EntryCodePath,
    entry_version: VersionPath,
) -> EntryRead:
    row = await reading.read_version(session, kind, code, entry_version)
    set_etag(response, row.version)
    return EntryRead.of(kind, row)


@router.get(
    "/{kind}/{code}/versions/{entry_version}/reviews",
    summary="Who reviewed a version",
    description="Oldest first, each with the compiled elements that the reviewer answered for.",
)
async def list_reviews(
    _caller: Annotated[Caller, require(CATALOGUE_READ)],
    session: Session,
    kind: EntryKind,
    code: EntryCodePath,
    entry_version: VersionPath,
) -> list[ReviewRead]:
    return [ReviewRead.of(row) for row in await review.reviews_of(session, kind, code, entry_version)]


async def _act_on_version(
    session: Session, response: Response, target: Target, decision: Decision
) -> EntryRead:
    row = await review.act_on_version(
        session,
        target.kind,
        target.code,
        target.entry_version,
        decision,
        expected_version=target.expected,
    )
    set_etag(response, row.version)
    return EntryRead.of(target.kind, row)


@router.post(
    "/{kind}/{code}/versions/{entry_version}/submit-review",
    summary="Submit a draft for review",
    description="By an editor. 409 `entry_state` when it is no draft.",
)
async def submit_version(
    acting: Editor, target: TargetVersion, session: Session, response: Response
) -> EntryRead:
    return await _act_on_version(session, response, target, acting.decide(Action.SUBMIT_REVIEW))


@router.post(
    "/{kind}/{code}/versions/{entry_version}/approve",
    summary="Approve a version",
    description="By another operator than the one who brought it in or submitted it.",
)
async def approve_version(
    acting: Reviewer, target: TargetVersion, session: Session, response: Response
) -> EntryRead:
    return await _act_on_version(session, response, target, acting.decide(Action.APPROVE))


@router.post(
    "/{kind}/{code}/versions/{entry_version}/send-back",
    summary="Send a version back to draft",
    description="From review or approval; the note says why.",
)
async def send_version_back(
    acting: Reviewer, target: TargetVersion, session: Session, response: Response
) -> EntryRead:
    return await _act_on_version(session, response, target, acting.decide(Action.SEND_BACK))


@router.post(
    "/{kind}/{code}/versions/{entry_version}/publish",
    summary="Publish an approved version",
    description="The version published before retires.",
)
async def publish_version(
    acting: Reviewer, target: TargetVersion, session: Session, response: Response
) -> EntryRead:
    return await _act_on_version(session, response, target, acting.decide(Action.PUBLISH))


@router.post(
    "/{kind}/{code}/versions/{entry_version}/retire",
    summary="Retire a published version, or discard a draft",
    description="409 `item_in_use` while a published bundle refers to the item.",
)
async def retire_version(
    acting: Editor, target: TargetVersion, session: Session, response: Response
) -> EntryRead:
    return await _act_on_version(session, response, target, acting.decide(Action.RETIRE))

"""Reading the published catalogue: open to everybody (行政许可法 Art. 30)."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response

from acceptance_service.catalogue.domain import ApplicantKind, Completeness, EntryKind
from acceptance_service.catalogue.handlers import reading
from acceptance_service.catalogue.handlers.reading import ItemFilter
from acceptance_service.catalogue.models import Bundle, CatalogueEntry, ServiceItem
from acceptance_service.catalogue.schemas import (
    BundleCodePath,
    BundleRead,
    BundleSummary,
    ItemCodePath,
    ItemRead,
    ItemSummary,
    ThemeRead,
    VersionRead,
)
from acceptance_service.departments.handlers import department_names
from service_common.app import api_router
from service_common.auth import PUBLIC
from service_common.db import Session
from service_common.pages import Page, Paging

router = api_router("catalogue", prefix="/acceptance/v1")

DivisionQuery = Annotated[str | None, Query(pattern=r"^[0-9]{6}([0-9]{3}){0,2}$", examples=["430300000000"])]
# The published catalogue changes a few times a day: what is a minute old is good enough for caches in between.
_CACHE = "public, max-age=60"


def _tag(row: CatalogueEntry) -> str:
    """Of published content: changes with every version and with every step in a version's life."""
    return f'"{row.entry_version}.{row.version}"'


def _is_known(request: Request, response: Response, row: CatalogueEntry) -> bool:
    """Sets ETag and caching; says whether the client has this content already (RFC 9110 §13.1.2)."""
    response.headers["ETag"] = _tag(row)
    response.headers["Cache-Control"] = _CACHE
    known = request.headers.get("if-none-match", "")
    return _tag(row) in [one.strip().removeprefix("W/") for one in known.split(",")]


def _not_modified(row: CatalogueEntry) -> Response:
    return Response(status_code=304, headers={"ETag": _tag(row), "Cache-Control": _CACHE})


async def _wanted(
    division: DivisionQuery = None,
    department_id: Annotated[UUID | None, Query()] = None,
    item_type: Annotated[str | None, Query(pattern=r"^[0-9]{2}$", examples=["01"])] = None,
    applicant_kind: Annotated[ApplicantKind | None, Query()] = None,
    guide: Annotated[Completeness | None, Query()] = None,
) -> ItemFilter:
    return ItemFilter(division, department_id, item_type, applicant_kind, guide)


@router.get(
    "/items",
    summary="Published service items 事项清单",
    description="In the order of their codes. `division` is exact; to find something use the search.",
    dependencies=[PUBLIC],
)
async def list_items(
    session: Session, paging: Paging, wanted: Annotated[ItemFilter, Depends(_wanted)]
) -> Page[ItemSummary]:
    after = paging.after(str)
    rows = await reading.list_items(
        session, wanted, after=after[0] if after else None, limit=paging.limit + 1
    )
    names = await department_names(session, [row.department_id for row in rows])
    return paging.page(
        rows, lambda row: (row.code,), lambda row: ItemSummary.of(row, names.get(row.department_id))
    )


@router.get(
    "/items/{code}",
    response_model=ItemRead,
    summary="A published item with its guide 办事指南",
    description="The whole definition, and which elements of a guide the source lacks. Answers 304 to a known ETag.",
    dependencies=[PUBLIC],
)
async def read_item(
    request: Request, response: Response, session: Session, code: ItemCodePath
) -> ItemRead | Response:
    row = await reading.read_published(session, EntryKind.ITEM, code)
    assert isinstance(row, ServiceItem)
    if _is_known(request, response, row):
        return _not_modified(row)
    names = await department_names(session, [row.department_id])
    return ItemRead.read(row, names.get(row.department_id))


@router.get(
    "/items/{code}/versions",
    summary="Versions of an item that are or were in force",
    description="Newest first. A running case keeps the version it began with.",
    dependencies=[PUBLIC],
)
async def list_item_versions(session: Session, code: ItemCodePath) -> list[VersionRead]:
    rows = await reading.list_published_versions(session, EntryKind.ITEM, code)
    return [VersionRead.model_validate(row) for row in rows]


@router.get(
    "/bundles",
    summary="Published bundles 一件事清单",
    description="In the order of their codes. `division` is exact.",
    dependencies=[PUBLIC],
)
async def list_bundles(
    session: Session, paging: Paging, division: DivisionQuery = None
) -> Page[BundleSummary]:
    after = paging.after(str)
    rows = await reading.list_bundles(
        session, division=division, after=after[0] if after else None, limit=paging.limit + 1
    )
    names = await department_names(session, [row.lead_department_id for row in rows])
    return paging.page(
        rows,
        lambda row: (row.code,),
        lambda row: BundleSummary.of(row, names.get(row.lead_department_id)),
    )


@router.get(
    "/bundles/{code}",
    response_model=BundleRead,
    summary="A published bundle with its definition",
    description="Answers 304 to a known ETag.",
    dependencies=[PUBLIC],
)
async def read_bundle(
    request: Request, response: Response, session: Session, code: BundleCodePath
) -> BundleRead | Response:
    row = await reading.read_published(session, EntryKind.BUNDLE, code)
    assert isinstance(row, Bundle)
    if _is_known(request, response, row):
        return _not_modified(row)
    names = await department_names(session, [row.lead_department_id])
    return BundleRead.read(row, names.get(row.lead_department_id))


@router.get(
    "/bundles/{code}/versions",
    summary="Versions of a bundle that are or were in force",
    description="Newest first.",
    dependencies=[PUBLIC],
)
async def list_bundle_versions(session: Session, code: BundleCodePath) -> list[VersionRead]:
    rows = await reading.list_published_versions(session, EntryKind.BUNDLE, code)
    return [VersionRead.model_validate(row) for row in rows]


@router.get(
    "/themes",
    summary="All themes 一件事主题 of the source",
    description="Every title, with `guide: none` where the source's guide is not in the catalogue.",
    dependencies=[PUBLIC],
)
async def list_themes(session: Session, paging: Paging) -> Page[ThemeRead]:
    after = paging.after(str)
    rows = await reading.list_themes(session, after=after[0] if after else None, limit=paging.limit + 1)
    return paging.page(rows, lambda row: (row[0].code,), lambda row: ThemeRead.of(*row))

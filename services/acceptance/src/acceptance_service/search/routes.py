"""Finding a service in one's own words. POST, for what people look for does not belong in a URL."""

from acceptance_service.departments.handlers import department_names
from acceptance_service.search.handlers import Wish, search_catalogue
from acceptance_service.search.schemas import FoundRead, SearchRequest, SearchResults
from service_common.app import api_router
from service_common.auth import PUBLIC
from service_common.db import Session
from service_common.pages import read_cursor, write_cursor

router = api_router("search", prefix="/acceptance/v1/catalogue")


@router.post(
    "/search",
    summary="Find a service in your own words",
    description=(
        "Bundles, items and themes whose titles or synonyms fit, best first; a bundle before an item when it fits as well. "
        "Within a division: what it and the divisions above it offer, the nearest first."
    ),
    dependencies=[PUBLIC],
)
async def search(session: Session, body: SearchRequest) -> SearchResults:
    score, entry_id, code = read_cursor(body.cursor, int, int, str) if body.cursor else (0, 0, "")
    wish = Wish(
        text=body.text,
        division=body.division,
        applicant_kind=body.applicant_kind,
        limit=body.limit,
        after=(score, entry_id, code) if body.cursor else None,
    )
    found = await search_catalogue(session, wish)
    shown = found[: body.limit]
    names = await department_names(session, [one.department_id for one in shown])
    last = shown[-1] if len(found) > body.limit else None
    return SearchResults(
        items=[FoundRead.of(one, names.get(one.department_id)) for one in shown],
        next_cursor=write_cursor((last.score, last.entry_id, last.code)) if last else None,
    )

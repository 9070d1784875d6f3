"""Keeping the search index, and answering searches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.db import among
from acceptance_service.divisions import read_division
from acceptance_service.search import repository
from acceptance_service.search.domain import (
    EntryKind,
    division_chain,
    exact_token,
    normalise,
    postings,
    understand,
    weigh,
)
from acceptance_service.search.models import SearchEntry, SearchOffer, SearchPosting, SearchSynonym
from acceptance_service.search.repository import Found


@dataclass(frozen=True, slots=True)
class Offer:
    """One published thing as search shows it. ``fields`` are texts it is found by, with their importance."""

    kind: EntryKind
    title: str
    code: str
    entry_version: int | None
    divisions: tuple[str, ...]
    department_id: UUID | None
    applicant_kinds: tuple[str, ...]
    has_guide: bool
    fields: tuple[tuple[str, float], ...]

    @property
    def key(self) -> str:
        """Items of the same title are one entry with several offers."""
        return normalise(self.title).replace(" ", "") if self.kind is EntryKind.ITEM else self.code


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody looks for, and the place in the results to continue after."""

    text: str
    division: str | None
    applicant_kind: str | None
    limit: int
    after: tuple[int, int, str] | None


async def index_offers(session: AsyncSession, offers: Sequence[Offer]) -> None:
    """Makes published things findable, in place of earlier versions of the same code."""
    if not offers:
        return
    await withdraw_offers(session, [one.code for one in offers])
    by_key = {(one.kind, one.key): one for one in offers}
    ids = await _ensure_entries(session, by_key)
    await session.execute(delete(SearchPosting).where(among(SearchPosting.entry_id, ids.values())))
    await session.execute(
        insert(SearchPosting),
        [
            {"token": token, "entry_id": ids[key], "weight": weight}
            for key, one in by_key.items()
            for token, weight in {**postings(one.fields), exact_token(one.title): 1.0}.items()
        ],
    )
    await session.execute(
        upsert(SearchOffer).on_conflict_do_nothing(),
        [
            {
                "entry_id": ids[one.kind, one.key],
                "division": division,
                "code": one.code,
                "entry_version": one.entry_version,
                "department_id": one.department_id,
                "applicant_kinds": list(one.applicant_kinds),
                "has_guide": one.has_guide,
            }
            for one in offers
            for division in one.divisions
        ],
    )


async def _ensure_entries(
    session: AsyncSession, by_key: Mapping[tuple[EntryKind, str], Offer]
) -> dict[tuple[EntryKind, str], int]:
    rows = [{"kind": kind, "key": key, "title": one.title} for (kind, key), one in by_key.items()]
    statement = upsert(SearchEntry)
    statement = statement.on_conflict_do_update(
        index_elements=["kind", "key"], set_={"title": statement.excluded.title}
    )
    made = await session.execute(statement.returning(SearchEntry.kind, SearchEntry.key, SearchEntry.id), rows)
    return {(row.kind, row.key): row.id for row in made}


async def withdraw_offers(session: AsyncSession, codes: Sequence[str]) -> None:
    """Things that are no longer offered; an entry without any offer goes too."""
    gone = await session.scalars(
        delete(SearchOffer).where(among(SearchOffer.code, codes)).returning(SearchOffer.entry_id)
    )
    entries = set(gone)
    if entries:
        still = select(SearchOffer.entry_id).where(SearchOffer.entry_id == SearchEntry.id)
        await session.execute(delete(SearchEntry).where(among(SearchEntry.id, entries), ~still.exists()))


async def replace_synonyms(session: AsyncSession, synonyms: Mapping[str, Sequence[str]]) -> None:
    """Puts a newly published list of synonyms in force."""
    await session.execute(delete(SearchSynonym))
    if synonyms:
        rows = [{"word": normalise(word), "means": list(means)} for word, means in synonyms.items()]
        await session.execute(insert(SearchSynonym), rows)


async def search_catalogue(session: AsyncSession, wish: Wish) -> Sequence[Found]:
    """Up to ``limit + 1`` published things that fit best, best first.

    Within a division, what it and the divisions above it offer; without one, anywhere. Raises: NothingToSearch,
    BadDivision.
    """
    chain = division_chain(read_division(wish.division)) if wish.division else None
    synonyms = await repository.synonyms_in(session, normalise(wish.text))
    concepts = understand(wish.text, synonyms)
    tokens = {token for concept in concepts for one in concept.alternatives for token in one.tokens}
    frequencies, total = await repository.token_frequencies(session, tokens)
    weighted = weigh(wish.text, concepts, frequencies, total)
    return await repository.best_offers(
        session,
        weighted,
        chain=chain,
        applicant_kind=wish.applicant_kind,
        after=wish.after,
        limit=wish.limit + 1,
    )

"""Reading the search index."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Integer, String, Text, bindparam, func, literal, select, text
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.search.domain import (
    ABSOLUTE_FLOOR,
    KIND_FACTOR,
    RELATIVE_FLOOR,
    EntryKind,
    Weighted,
)
from acceptance_service.search.models import SearchEntry, SearchPosting, SearchSynonym


@dataclass(frozen=True, slots=True)
class Found:
    """One line of the results; ``score`` counts millionths."""

    score: int
    entry_id: int
    kind: EntryKind
    title: str
    code: str
    entry_version: int | None
    division: str
    department_id: UUID | None
    has_guide: bool


async def synonyms_in(session: AsyncSession, wish: str) -> Mapping[str, Sequence[str]]:
    """The words of the wish that the catalogue says otherwise."""
    found = await session.execute(
        select(SearchSynonym.word, SearchSynonym.means).where(
            func.strpos(literal(wish, Text), SearchSynonym.word) > 0
        )
    )
    return {row.word: row.means for row in found}


async def token_frequencies(session: AsyncSession, tokens: Collection[str]) -> tuple[Mapping[str, int], int]:
    """In how many entries each token stands, and how many entries there are."""
    counted = await session.execute(
        select(SearchPosting.token, func.count().label("entries"))
        .where(SearchPosting.token.in_(tokens))
        .group_by(SearchPosting.token)
    )
    total = await session.scalar(select(func.count()).select_from(SearchEntry))
    return {row.token: row.entries for row in counted}, total or 0


# Scores first, over the few entries that hold a token; only then the offers, each found by the primary key.
_BEST_OFFERS = """
    WITH wanted AS (
      SELECT * FROM unnest(:concepts, :alternatives, :tokens, :weights) AS w(concept, alternative, token, weight)
    ), hits AS (
      SELECT p.entry_id, w.concept, w.alternative, sum(p.weight * w.weight) AS score
      FROM wanted w JOIN search_postings p ON p.token = w.token
      GROUP BY p.entry_id, w.concept, w.alternative
    ), concepts AS (
      SELECT entry_id, concept, max(score) AS score FROM hits GROUP BY entry_id, concept
    ), scores AS (
      SELECT entry_id, sum(score) AS score FROM concepts GROUP BY entry_id
    ), ranked AS (
      SELECT e.id, e.kind, e.title,
             round(s.score * CASE e.kind WHEN 'BUNDLE' THEN :bundle WHEN 'THEME' THEN :theme ELSE 1 END
                   * 1000000)::bigint AS score,
             max(s.score) OVER () AS best,
             s.score AS plain
      FROM scores s JOIN search_entries e ON e.id = s.entry_id
    )
    SELECT r.score, r.id AS entry_id, r.kind, r.title, o.code, o.entry_version, o.division, o.department_id, o.has_guide
    FROM ranked r
    CROSS JOIN LATERAL ({offer}) o
    WHERE r.plain >= greatest(:absolute_floor, r.best * :relative_floor)
      AND (CAST(:after_score AS bigint) IS NULL
           OR (-r.score, r.id, o.code) > (-CAST(:after_score AS bigint), CAST(:after_id AS bigint), CAST(:after_code AS text)))
    ORDER BY r.score DESC, r.id, o.code
    LIMIT :limit
"""

# The nearest division wins; two departments of one division may offer the same title.
_NEAREST_OFFER = """
      SELECT * FROM (
        SELECT offer.*, rank() OVER (ORDER BY array_position(:chain, offer.division::text)) AS distance
        FROM search_offers offer
        WHERE offer.entry_id = r.id AND offer.division = ANY (:chain) AND {suits}
      ) near WHERE near.distance = 1
"""

_ANY_OFFER = """
      SELECT offer.* FROM search_offers offer
      WHERE offer.entry_id = r.id AND {suits}
      ORDER BY offer.division, offer.code LIMIT 1
"""

_SUITS = """(CAST(:applicant_kind AS text) IS NULL OR offer.applicant_kinds = '{}'
         OR CAST(:applicant_kind AS text) = ANY (offer.applicant_kinds))"""

_PARAMETERS = (
    bindparam("concepts", type_=ARRAY(Integer)),
    bindparam("alternatives", type_=ARRAY(Integer)),
    bindparam("tokens", type_=ARRAY(Text)),
    bindparam("weights", type_=ARRAY(DOUBLE_PRECISION)),
    bindparam("applicant_kind", type_=String),
    bindparam("after_score", type_=BigInteger),
    bindparam("after_id", type_=BigInteger),
    bindparam("after_code", type_=String),
)

_WITHIN = text(_BEST_OFFERS.format(offer=_NEAREST_OFFER.format(suits=_SUITS))).bindparams(
    *_PARAMETERS, bindparam("chain", type_=ARRAY(Text))
)
_ANYWHERE = text(_BEST_OFFERS.format(offer=_ANY_OFFER.format(suits=_SUITS))).bindparams(*_PARAMETERS)


async def best_offers(
    session: AsyncSession,
    weighted: Sequence[Weighted],
    *,
    chain: Sequence[str] | None,
    applicant_kind: str | None,
    after: tuple[int, int, str] | None,
    limit: int,
) -> Sequence[Found]:
    """Entries by score, each with its nearest offer."""
    after_score, after_id, after_code = after or (None, None, None)
    rows = await session.execute(
        _WITHIN if chain else _ANYWHERE,
        {
            "concepts": [one.concept for one in weighted],
            "alternatives": [one.alternative for one in weighted],
            "tokens": [one.token for one in weighted],
            "weights": [one.weight for one in weighted],
            "bundle": KIND_FACTOR[EntryKind.BUNDLE],
            "theme": KIND_FACTOR[EntryKind.THEME],
            "absolute_floor": ABSOLUTE_FLOOR,
            "relative_floor": RELATIVE_FLOOR,
            **({"chain": list(chain)} if chain else {}),
            "applicant_kind": applicant_kind,
            "after_score": after_score,
            "after_id": after_id,
            "after_code": after_code,
            "limit": limit,
        },
    )
    return [Found(**{**row, "kind": EntryKind(row["kind"])}) for row in rows.mappings()]

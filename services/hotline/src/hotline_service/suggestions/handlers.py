"""Proposing kind, topic and department of a message."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from hotline_service.departments.handlers import departments_serving
from hotline_service.suggestions.domain import (
    Classifier,
    DutyList,
    Scored,
    SuggestedDepartment,
    match_departments,
    rank_kinds,
)


@dataclass(frozen=True, slots=True)
class Adviser:
    """What a proposal rests on."""

    classifier: Classifier
    duty_list: DutyList


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Ranked proposals, likeliest first. A person decides."""

    kinds: Sequence[Scored]
    topics: Sequence[Scored]
    departments: Sequence[SuggestedDepartment]


async def suggest(session: AsyncSession, adviser: Adviser, *, text: str, division: str) -> Suggestion:
    """Reads a message and looks up who has the duty in its division, or else in the one above."""
    topics = adviser.classifier.rank(text)
    duties = adviser.duty_list.rank(topics, text)
    departments = await departments_serving(session, division)
    return Suggestion(rank_kinds(text), topics, match_departments(duties, departments))

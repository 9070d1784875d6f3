"""HTTP of indicators."""

from typing import Annotated

from fastapi import Query

from evaluation_service.indicators import handlers
from evaluation_service.indicators.domain import Dimension, period_of
from evaluation_service.indicators.schemas import IndicatorRead
from service_common.app import Now, api_router
from service_common.auth import PUBLIC
from service_common.db import Session
from service_common.pages import Page, Paging

router = api_router("indicators", prefix="/evaluation/v1/indicators")

Period = Annotated[
    str | None, Query(pattern=r"^20\d\d-(0[1-9]|1[0-2])$", description="Local month, e.g. `2026-11`.")
]


@router.get("", dependencies=[PUBLIC], summary="Published indicators")
async def list_indicators(
    *,
    session: Session,
    now: Now,
    paging: Paging,
    by: Annotated[Dimension, Query(description="Whose figures.")] = Dimension.DEPARTMENT,
    key: Annotated[
        str | None, Query(max_length=60, description="Only this division, department or item.")
    ] = None,
    first_period: Period = None,
    last_period: Period = None,
) -> Page[IndicatorRead]:
    """Open to everybody: results of reviews are published (国办发〔2019〕51号). This month's unless months are given."""
    first = first_period or last_period or period_of(now)
    last = last_period or max(first, period_of(now))
    after = paging.after(str)
    rows = await handlers.read_indicators(
        session,
        by,
        first=first,
        last=last,
        key=key,
        after=after[0] if after else None,
        limit=paging.limit + 1,
    )
    return paging.page(rows, lambda one: (one.key,), lambda one: IndicatorRead.of(one, first, last))

"""Lists in keyset pages: a bounded page, an opaque cursor, a ``next`` link, no total.

A cursor holds the sort key of the last row. It is not a secret and not signed: it is only ever compared with the caller's own
rows. One from last year still works or is refused with 422, never with 500.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field

from service_common.errors import Invalid

Item = TypeVar("Item")
Row = TypeVar("Row")

DEFAULT_LIMIT = 20
MOST = 100
_COLUMN_BITS = 63


class BadCursor(Invalid):
    """Not a cursor of this list."""

    code = "bad_cursor"
    zh = "分页游标无效，请从第一页重新开始。"
    en = "The cursor is not valid for this list: start again from the first page."


def write_cursor(key: tuple[Any, ...]) -> str:
    """The sort key of a row, opaque to clients."""
    text = json.dumps([str(part) for part in key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def read_cursor(cursor: str, *types: Callable[[str], Any]) -> tuple[Any, ...]:
    """A sort key, read by the given parsers. Raises: BadCursor."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(values, list) or len(values) != len(types):
            raise BadCursor
        return tuple(_comparable(parse(str(value))) for parse, value in zip(types, values, strict=True))
    except (ValueError, OverflowError, binascii.Error) as error:
        raise BadCursor from error


def _comparable(value: Any) -> Any:
    """What a column can be compared with. Raises: ValueError, OverflowError."""
    match value:
        case datetime():
            if value.tzinfo is None:
                raise ValueError("an instant needs a time zone")
            return value.astimezone(UTC)
        case int() if value.bit_length() > _COLUMN_BITS:
            raise ValueError("no column holds so large a number")
        case str():
            value.encode()  # half a surrogate pair is valid JSON and no text
    return value


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = Field(default=None, description="Link to the next page; absent on the last one.")


class PageRequest:
    """The page that was asked for."""

    def __init__(self, request: Request, limit: int, cursor: str | None) -> None:
        self._request = request
        self.limit = limit
        self._cursor = cursor

    def after(self, *types: Callable[[str], Any]) -> tuple[Any, ...] | None:
        """The sort key to continue after, read by the given parsers. Raises: BadCursor."""
        return None if self._cursor is None else read_cursor(self._cursor, *types)

    def page(
        self, rows: Sequence[Row], key: Callable[[Row], tuple[Any, ...]], show: Callable[[Row], Item]
    ) -> Page[Item]:
        """Builds the page from up to ``limit + 1`` rows: the extra one only tells that there is more."""
        shown = rows[: self.limit]
        link = self._next_link(key(shown[-1])) if len(rows) > self.limit else None
        return Page(items=[show(row) for row in shown], next=link)

    def _next_link(self, key: tuple[Any, ...]) -> str:
        cursor = write_cursor(key)
        others = [(k, v) for k, v in self._request.query_params.multi_items() if k != "cursor"]
        return f"{self._request.url.path}?{urlencode([*others, ('cursor', cursor)])}"


async def page_request(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MOST, description="Rows on a page.")] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=500, description="From the `next` link.")] = None,
) -> PageRequest:
    """Dependency: reads ``limit`` and ``cursor``."""
    return PageRequest(request, limit, cursor)


Paging = Annotated[PageRequest, Depends(page_request)]

"""Versions as ETags: shown on what is read, asked back with If-Match on what is decided (RFC 9110 §13.1.1)."""

import re
from typing import Annotated

from fastapi import Depends, Header, Response

from service_common.errors import PreconditionMissing, Stale

_STRONG_TAG = re.compile(r'^"(\d{1,18})"$')


def set_etag(response: Response, version: int) -> None:
    """Puts the version on the answer."""
    response.headers["ETag"] = f'"{version}"'


async def _expected_version(
    if_match: Annotated[str | None, Header(description="The ETag that the decision rests on.")] = None,
) -> int:
    if if_match is None:
        raise PreconditionMissing
    found = _STRONG_TAG.match(if_match.strip())
    if found is None:
        raise Stale
    return int(found.group(1))


ExpectedVersion = Annotated[int, Depends(_expected_version)]


def check_version(current: int, expected: int) -> None:
    """Raises: Stale."""
    if current != expected:
        raise Stale

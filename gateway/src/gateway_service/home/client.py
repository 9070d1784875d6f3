"""Asks the services, with the user's own token and never with ours: nobody sees here what they could not see there."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from gateway_service.home.domain import PART_SECONDS, Part, PartStatus, status_of
from service_common import dpop

_PASSED_ON = ("authorization", "accept-language", dpop.HEADER.lower())


async def ask(
    part: Part,
    *,
    http: httpx.AsyncClient,
    service_urls: Mapping[str, str],
    headers: Mapping[str, str],
    proven_at: str,
    seconds: float = PART_SECONDS,
) -> tuple[PartStatus, Any]:
    """One part's status and data, waited for as long as ``seconds``. Whatever goes wrong with a service is its part's status, never an error.

    A proof of possession is passed on with the token; ``proven_at`` is our own path, which it was made for.
    """
    passed_on = {name: headers[name] for name in _PASSED_ON if name in headers}
    passed_on[dpop.PROVEN_AT] = proven_at
    try:
        async with asyncio.timeout(seconds):
            answer = await http.get(service_urls[part.service] + part.path, headers=passed_on)
            status = status_of(answer.status_code)
            return status, answer.json() if status is PartStatus.OK else None
    except (httpx.HTTPError, TimeoutError, ValueError):
        return PartStatus.UNAVAILABLE, None

"""The services' OpenAPI documents, fetched inside the network and kept: a service that is away keeps its last one."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import httpx
import structlog

logger = structlog.get_logger()

Json = dict[str, Any]

_FRESH_SECONDS = 60.0
# A service that never answered is asked sooner: at a start of the whole platform all come within seconds.
_MISSING_SECONDS = 5.0
_TIMEOUT_SECONDS = 3.0


class ServiceDocuments:
    """Documents by service name."""

    def __init__(self, service_urls: Mapping[str, str], http: httpx.AsyncClient) -> None:
        self._urls = service_urls
        self._http = http
        self._documents: dict[str, Json] = {}
        self._asked_at: dict[str, float] = {}
        self._lock = asyncio.Lock()

    async def current(self) -> tuple[dict[str, Json], set[str]]:
        """The documents in the services' order, and the names of those that never answered."""
        async with self._lock:
            due = [name for name in self._urls if self._is_due(name)]
            await asyncio.gather(*(self._fetch(name) for name in due))
        known = {name: self._documents[name] for name in self._urls if name in self._documents}
        return known, set(self._urls) - set(known)

    def _is_due(self, name: str) -> bool:
        age = time.monotonic() - self._asked_at.get(name, float("-inf"))
        return age > (_FRESH_SECONDS if name in self._documents else _MISSING_SECONDS)

    async def _fetch(self, name: str) -> None:
        self._asked_at[name] = time.monotonic()
        try:
            answer = await self._http.get(
                f"{self._urls[name]}/{name}/v1/openapi.json", timeout=_TIMEOUT_SECONDS
            )
            answer.raise_for_status()
            document = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            logger.warning("service_document_not_fetched", peer=name, error=type(error).__name__)
            return
        if isinstance(document, dict) and "paths" in document and "info" in document:
            self._documents[name] = document

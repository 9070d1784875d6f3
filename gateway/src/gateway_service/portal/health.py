"""Whether the services are ready, in one word each: for people and monitors outside."""

import asyncio
import time
from collections.abc import Mapping
from typing import Literal

import httpx
from pydantic import BaseModel, ConfigDict

_FRESH_SECONDS = 2.0
_TIMEOUT_SECONDS = 1.5

Word = Literal["ok", "degraded"]


class PlatformHealth(BaseModel):
    """The platform in a word, and each service in a word. No reasons: those are for inside."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"status": "degraded", "services": {"identity": "ok", "hotline": "degraded"}}]
        }
    )
    status: Word
    services: dict[str, Word]


class ServiceHealth:
    """Asks the services, at most once in two seconds however often it is asked itself."""

    def __init__(self, service_urls: Mapping[str, str], http: httpx.AsyncClient) -> None:
        self._urls = service_urls
        self._http = http
        self._known: PlatformHealth | None = None
        self._asked_at = 0.0
        self._lock = asyncio.Lock()

    async def current(self) -> PlatformHealth:
        async with self._lock:
            if self._known is None or time.monotonic() - self._asked_at > _FRESH_SECONDS:
                words = await asyncio.gather(*(self._ask(url) for url in self._urls.values()))
                services = dict(zip(self._urls, words, strict=True))
                overall: Word = "ok" if all(word == "ok" for word in words) else "degraded"
                self._known = PlatformHealth(status=overall, services=services)
                self._asked_at = time.monotonic()
            return self._known

    async def _ask(self, url: str) -> Word:
        try:
            answer = await self._http.get(f"{url}/health/ready", timeout=_TIMEOUT_SECONDS)
        except httpx.HTTPError:
            return "degraded"
        return "ok" if answer.status_code == 200 else "degraded"

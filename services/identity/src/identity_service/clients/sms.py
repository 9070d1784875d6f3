"""Ways for a text message to reach a phone."""

import asyncio
import json
from pathlib import Path
from typing import Protocol

import httpx

from service_common.errors import Unavailable


class SmsNotSent(Unavailable):
    """The gateway does not answer, or refuses."""

    code = "sms_not_sent"
    zh = "短信暂时无法发送，请稍后重试。"
    en = "Text messages cannot be sent now: retry later."


class SmsSender(Protocol):
    """Sends one message. Raises: SmsNotSent. ``message_id`` lets the gateway recognise a repeat."""

    async def send(self, *, message_id: str, phone: str, text: str) -> None: ...


class FileSmsSender:
    """Development: appends messages to a file that its owner alone can read."""

    def __init__(self, file: Path) -> None:
        self._file = file

    async def send(self, *, message_id: str, phone: str, text: str) -> None:
        line = json.dumps({"id": message_id, "to": phone, "text": text}, ensure_ascii=False)
        await asyncio.to_thread(self._append, line)

    def _append(self, line: str) -> None:
        self._file.touch(mode=0o600, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


class GatewaySmsSender:
    """A gateway inside the network that speaks to the operators: ``POST {to, text, id}``, any 2xx means taken."""

    def __init__(self, url: str, token: str | None, http: httpx.AsyncClient) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = http

    async def send(self, *, message_id: str, phone: str, text: str) -> None:
        try:
            answer = await self._http.post(
                self._url,
                json={"to": phone, "text": text, "id": message_id},
                headers={**self._headers, "Idempotency-Key": message_id},
            )
        except httpx.HTTPError as error:
            raise SmsNotSent from error
        if not answer.is_success:
            raise SmsNotSent

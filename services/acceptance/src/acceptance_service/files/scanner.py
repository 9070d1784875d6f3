"""The scanning port: whether a file carries malware."""

import asyncio
import struct
from collections.abc import AsyncIterator
from typing import Protocol

from acceptance_service.files.domain import FileInfected, Scan
from service_common.errors import Unavailable

_TIMEOUT_SECONDS = 60.0


class ScannerAway(Unavailable):
    """The scanner does not answer; files wait rather than pass unseen."""

    code = "scanner_unavailable"
    zh = "文件安全检查暂时不可用，请稍后重试。"
    en = "The malware scanner does not answer: retry later."


class Scanner(Protocol):
    """Looks at a whole file."""

    async def scan(self, content: AsyncIterator[bytes]) -> Scan:
        """Raises: FileInfected, ScannerAway."""


class NoScanner:
    """Where no scanner is configured: files are marked as not scanned."""

    async def scan(self, content: AsyncIterator[bytes]) -> Scan:  # noqa: ARG002 - nothing is looked at
        """Marks only."""
        return Scan.NOT_SCANNED


class ClamdScanner:
    """ClamAV's daemon over TCP, command INSTREAM (clamd(8))."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    async def scan(self, content: AsyncIterator[bytes]) -> Scan:
        """Sends the file in length-prefixed pieces and reads the verdict."""
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                answer = await self._ask(content)
        except (OSError, TimeoutError) as error:
            raise ScannerAway from error
        if answer.endswith(b" OK"):
            return Scan.CLEAN
        if answer.endswith(b" FOUND"):
            raise FileInfected
        raise ScannerAway

    async def _ask(self, content: AsyncIterator[bytes]) -> bytes:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            writer.write(b"zINSTREAM\x00")
            async for piece in content:
                writer.write(struct.pack(">I", len(piece)) + piece)
                await writer.drain()
            writer.write(struct.pack(">I", 0))
            await writer.drain()
            return (await reader.read(4096)).rstrip(b"\x00\n")
        finally:
            writer.close()

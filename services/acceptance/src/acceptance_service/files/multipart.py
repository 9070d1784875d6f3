"""Reading one file out of a multipart request as it arrives, without a copy on disk (RFC 7578)."""

from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from acceptance_service.files.domain import FileEmpty

_FIELD = "file"
_LONGEST_NAME = 255


class IncomingFile:
    """The part named ``file``: its name, known once the content begins, and the content in pieces."""

    def __init__(self, request: Request) -> None:
        self.name = ""
        self._request = request
        self._pieces: deque[bytes] = deque()
        self._disposition = b""
        self._header_name = b""
        self._header_value = b""
        self._wanted = False
        self.found = False

    async def content(self) -> AsyncIterator[bytes]:
        """The file's bytes. Raises: FileEmpty when the body holds no such part."""
        kind, options = parse_options_header(self._request.headers.get("content-type", ""))
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise FileEmpty
        try:
            parser = MultipartParser(boundary, self._callbacks())
            async for chunk in self._request.stream():
                parser.write(chunk)
                while self._pieces:
                    yield self._pieces.popleft()
            parser.finalize()
        except FormParserError as error:
            raise FileEmpty from error
        if not self.found:
            raise FileEmpty

    def _callbacks(self) -> Any:
        return {
            "on_part_begin": self._on_part_begin,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": self._on_part_data,
        }

    def _on_part_begin(self) -> None:
        self._disposition = b""
        self._wanted = False

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _on_header_end(self) -> None:
        if self._header_name.lower() == b"content-disposition":
            self._disposition = self._header_value
        self._header_name = self._header_value = b""

    def _on_headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        self._wanted = options.get(b"name") == _FIELD.encode() and not self.found
        if self._wanted:
            self.found = True
            self.name = _plain_name(options.get(b"filename", b"").decode("utf-8", "replace"))

    def _on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._wanted:
            self._pieces.append(bytes(data[start:end]))


def _plain_name(name: str) -> str:
    """The last part of a path, whatever system it came from, without control characters."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(character for character in last if character.isprintable())[:_LONGEST_NAME]

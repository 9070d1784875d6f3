"""Files at rest: AES-256-GCM in chunks, each file with a key of its own that the key ring seals.

Every chunk's nonce holds its number and whether it is the last (the STREAM construction, Hoang et al. 2015), so chunks can
neither be reordered nor cut off without notice, and a file of any size is read with little memory.
"""

import base64
import os
from collections.abc import AsyncIterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service_common.crypto import KeyRing, UnreadableValue

_CHUNK = 64 * 1024
_TAG = 16
_PREFIX = 7
_COLUMN = "blobs.sealed_key"


class FileKey:
    """The key of one file."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._cipher = AESGCM(key)

    @classmethod
    def make(cls) -> "FileKey":
        """A fresh one."""
        return cls(AESGCM.generate_key(256))

    def sealed(self, ring: KeyRing) -> bytes:
        """For the database."""
        return ring.encrypt(base64.b64encode(self._key).decode(), column=_COLUMN)

    @classmethod
    def unsealed(cls, stored: bytes, ring: KeyRing) -> "FileKey":
        """From the database. Raises: UnreadableValue."""
        return cls(base64.b64decode(ring.decrypt(stored, column=_COLUMN)))

    async def encrypt(self, content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The bytes to store for a content."""
        prefix = os.urandom(_PREFIX)
        yield prefix
        held = b""
        number = 0
        async for piece in content:
            held += piece
            while len(held) > _CHUNK:
                yield self._cipher.encrypt(_nonce(prefix, number, last=False), held[:_CHUNK], None)
                held, number = held[_CHUNK:], number + 1
        yield self._cipher.encrypt(_nonce(prefix, number, last=True), held, None)

    async def decrypt(self, stored: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The content of stored bytes. Raises: UnreadableValue when they were changed or cut."""
        held = b""
        prefix: bytes | None = None
        number = 0
        async for piece in stored:
            held += piece
            if prefix is None:
                if len(held) < _PREFIX:
                    continue
                prefix, held = held[:_PREFIX], held[_PREFIX:]
            while len(held) > _CHUNK + _TAG:
                yield self._open(prefix, number, held[: _CHUNK + _TAG], last=False)
                held, number = held[_CHUNK + _TAG :], number + 1
        yield self._open(prefix or b"", number, held, last=True)

    def _open(self, prefix: bytes, number: int, sealed: bytes, *, last: bool) -> bytes:
        try:
            return self._cipher.decrypt(_nonce(prefix, number, last=last), sealed, None)
        except (InvalidTag, ValueError) as error:
            raise UnreadableValue("the stored file was changed or cut off") from error


def _nonce(prefix: bytes, number: int, *, last: bool) -> bytes:
    return prefix + number.to_bytes(4, "big") + (b"\x01" if last else b"\x00")

"""Personal data at rest: AES-256-GCM with a key ring, and keyed blind indexes to find it again.

A stored value is ``version byte | key id (2 bytes) | nonce (12) | ciphertext and tag``. The key id tells which key of the ring
opens it, so keys rotate while old rows stay readable. The column's name is bound in as associated data:
a ciphertext moved into another column does not open.
"""

import base64
import hashlib
import hmac
import json
import os
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE_BYTES = 12


class UnreadableValue(Exception):
    """The ciphertext was changed, moved to another column, or its key is gone."""


class KeyRing:
    """Encrypts with the newest key, decrypts with whichever key a value names."""

    def __init__(self, keys: dict[int, bytes], index_key: bytes) -> None:
        if not keys:
            raise ValueError("the key ring needs at least one key")
        if any(len(key) != 32 for key in [*keys.values(), index_key]):
            raise ValueError("keys have 32 bytes")
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._index_key = index_key
        self.newest = next(iter(keys))

    @classmethod
    def parse(cls, data_keys: str, index_key: str) -> Self:
        """Reads ``id:base64,id:base64`` (newest first) and the base64 blind-index key."""
        pairs = (part.split(":", 1) for part in data_keys.split(","))
        return cls({int(key_id): base64.b64decode(key) for key_id, key in pairs}, base64.b64decode(index_key))

    def encrypt(self, plaintext: str, *, column: str) -> bytes:
        """Seals a text for one column, e.g. ``persons.id_number``."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[self.newest].encrypt(nonce, plaintext.encode(), column.encode())
        return _VERSION + self.newest.to_bytes(2, "big") + nonce + sealed

    def decrypt(self, stored: bytes, *, column: str) -> str:
        """Opens a sealed text. Raises: UnreadableValue."""
        if stored[:1] != _VERSION:
            raise UnreadableValue("unknown format")
        cipher = self._ciphers.get(self.key_id(stored))
        if cipher is None:
            raise UnreadableValue("its key is not in the ring")
        nonce, sealed = stored[3 : 3 + _NONCE_BYTES], stored[3 + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, sealed, column.encode()).decode()
        except InvalidTag as error:
            raise UnreadableValue("changed, or moved from another column") from error

    def encrypt_json(self, value: Any, *, column: str) -> bytes:
        """Seals any JSON value."""
        return self.encrypt(json.dumps(value, ensure_ascii=False, separators=(",", ":")), column=column)

    def decrypt_json(self, stored: bytes, *, column: str) -> Any:
        """Opens a sealed JSON value. Raises: UnreadableValue."""
        return json.loads(self.decrypt(stored, column=column))

    def reseal(self, stored: bytes, *, column: str) -> bytes:
        """The same value under the newest key. Raises: UnreadableValue."""
        return self.encrypt(self.decrypt(stored, column=column), column=column)

    @staticmethod
    def key_id(stored: bytes) -> int:
        """Which key sealed this value: rotation looks for the old ones."""
        return int.from_bytes(stored[1:3], "big")

    def blind_index(self, value: str, *, column: str) -> bytes:
        """A keyed hash that finds equal values without revealing them (HMAC-SHA-256, 32 bytes)."""
        return hmac.new(self._index_key, f"{column}\x00{value}".encode(), hashlib.sha256).digest()

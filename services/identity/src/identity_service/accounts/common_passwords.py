"""Passwords that attackers try first, looked up offline.

The file holds sorted fingerprints (``scripts/render_common_passwords.py``). It is mapped on first use and searched by
halves: fifteen comparisons, no copy of it in memory.
"""

import hashlib
import mmap
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("data") / "common_passwords.bin"
_BYTES = 6


@cache
def _records() -> mmap.mmap:
    with _FILE.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def is_listed(word: str) -> bool:
    """Whether it is among the passwords of published leaks, compared without case."""
    wanted = hashlib.sha256(word.casefold().encode()).digest()[:_BYTES]
    records = _records()
    low, high = 0, len(records) // _BYTES
    while low < high:
        middle = (low + high) // 2
        found = records[middle * _BYTES : (middle + 1) * _BYTES]
        if found == wanted:
            return True
        low, high = (middle + 1, high) if found < wanted else (low, middle)
    return False

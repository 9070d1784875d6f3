"""The storage port: where encrypted objects lie. A folder here; anything with these four methods elsewhere."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

_READ = 256 * 1024


class ObjectStore(Protocol):
    """Keeps objects under keys that we choose. Objects are written once and never changed."""

    async def write(self, key: str, content: AsyncIterator[bytes]) -> None:
        """Stores an object: all of it or nothing."""

    def read(self, key: str) -> AsyncIterator[bytes]:
        """The object's bytes. Raises: FileNotFoundError."""

    async def delete(self, key: str) -> None:
        """Forgets an object; one that is not there is forgotten already."""

    async def keys_older_than(self, instant: float) -> list[str]:
        """Keys of objects written before an instant (seconds since 1970), for the sweep."""


class FolderStore:
    """Objects as files of one folder, two characters of the key per level."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def write(self, key: str, content: AsyncIterator[bytes]) -> None:
        """Beside its place first, then moved there: a reader never sees half an object."""
        path = self._path(key)
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(".draft")
        file = await asyncio.to_thread(draft.open, "wb")
        try:
            async for piece in content:
                await asyncio.to_thread(file.write, piece)
            await asyncio.to_thread(_sync, file.fileno())
            file.close()
            await asyncio.to_thread(draft.replace, path)
        finally:
            file.close()
            await asyncio.to_thread(draft.unlink, missing_ok=True)

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """In pieces, off the event loop."""
        file = await asyncio.to_thread(self._path(key).open, "rb")
        try:
            while piece := await asyncio.to_thread(file.read, _READ):
                yield piece
        finally:
            file.close()

    async def delete(self, key: str) -> None:
        """Unlinks the file."""
        await asyncio.to_thread(self._path(key).unlink, missing_ok=True)

    async def keys_older_than(self, instant: float) -> list[str]:
        """By modification time; drafts that a crash left behind are among them."""
        return await asyncio.to_thread(
            lambda: [
                path.stem
                for path in self._folder.rglob("*")
                if path.is_file() and path.stat().st_mtime < instant
            ]
        )

    def _path(self, key: str) -> Path:
        return self._folder / key[-2:] / f"{key}.sealed"


def _sync(descriptor: int) -> None:
    os.fsync(descriptor)

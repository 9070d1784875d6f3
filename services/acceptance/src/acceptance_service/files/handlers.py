"""Use cases of uploads: take in, attach, link, open, sweep."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import filetype
import structlog
from sqlalchemy import delete, exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.files.domain import (
    APPLICATION_QUOTA,
    DAILY_QUOTA,
    LINK_SECONDS,
    MEDIA_TYPES,
    PICTURES,
    QUOTA_SPAN,
    SNIFF_BYTES,
    FileEmpty,
    FileInfected,
    FileOfAnotherMaterial,
    FileTooLarge,
    FileTypeRefused,
    LinkInvalid,
    NoSuchFile,
    Quota,
    Scan,
    UploadKeyReused,
)
from acceptance_service.files.models import Blob, File
from acceptance_service.files.pictures import strip_metadata
from acceptance_service.files.quotas import need_fitting, need_room
from acceptance_service.files.scanner import Scanner, ScannerAway
from acceptance_service.files.storage import ObjectStore
from acceptance_service.files.vault import FileKey
from service_common.auth import Caller
from service_common.crypto import KeyRing
from service_common.db import new_id

logger = structlog.get_logger()

_NAME_COLUMN = "files.name"
_ADDRESS_COLUMN = "blobs.address"
_LINK_COLUMN = "files.link"
_SWEEP_BATCH = 500


@dataclass(frozen=True)
class FilePort:
    """What files need from outside the database."""

    store: ObjectStore
    scanner: Scanner
    ring: KeyRing
    limit_bytes: int
    daily: Quota = DAILY_QUOTA
    # Staff and partners upload for many people: so many times the quota of one.
    office_factor: int = 20
    per_application: Quota = APPLICATION_QUOTA


@dataclass(frozen=True)
class Stored:
    """Content that lies encrypted in the store and is not yet known to the database."""

    object_key: str
    sealed_key: bytes
    sha256: bytes
    size: int
    media_type: str
    scan: Scan


@dataclass(frozen=True)
class FileFacts:
    """An uploaded file as its owner sees it."""

    id: UUID
    name: str
    media_type: str
    size: int
    sha256: str
    scan: str
    created_at: datetime


async def take_in(port: FilePort, content: AsyncIterator[bytes]) -> Stored:
    """Sniffs, limits, strips, scans and stores an upload. No transaction is open meanwhile.

    Pictures are held in memory, for they are encoded anew; everything else streams through.
    Raises: FileTooLarge, FileEmpty, FileTypeRefused, PictureUnreadable, FileInfected, ScannerAway.
    """
    bounded = _bounded(content, port.limit_bytes)
    head = b""
    async for piece in bounded:
        head += piece
        if len(head) >= SNIFF_BYTES:
            break
    if not head:
        raise FileEmpty
    kind = filetype.guess(head)
    media_type = kind.mime if kind else ""
    if media_type not in MEDIA_TYPES:
        raise FileTypeRefused
    pieces = _chain(head, bounded)
    if media_type in PICTURES:
        whole = b"".join([piece async for piece in pieces])
        pieces = _chain(await asyncio.to_thread(strip_metadata, whole, media_type), None)
    return await _store(port, pieces, media_type)


async def register_upload(
    session: AsyncSession,
    port: FilePort,
    stored: Stored,
    *,
    name: str,
    upload_key: str,
    caller: Caller,
    now: datetime,
) -> tuple[FileFacts, str | None]:
    """Makes stored content a file of the caller. Returns it, and the object that turned out superfluous, if any.

    The same key and content give the same file again. Raises: UploadKeyReused, UploadQuotaUsed.
    """
    mine = (File.uploaded_by == _owner(caller), File.upload_key == upload_key)
    known = await session.scalar(select(File).where(*mine))
    if known is None:
        await need_room(session, _owner(caller), _quota(port, caller), size=stored.size, now=now)
        superfluous = await _keep_content(session, port, stored, now=now)
        made = await session.scalar(
            insert(File)
            .values(
                id=new_id(),
                address=_address(port, stored),
                sha256=stored.sha256,
                name=port.ring.encrypt(name, column=_NAME_COLUMN),
                uploaded_by=_owner(caller),
                upload_key=upload_key,
                created_at=now,
            )
            # The same upload twice at once: the later one waits for the earlier one's commit, and is a repetition then.
            .on_conflict_do_nothing(index_elements=["uploaded_by", "upload_key"])
            .returning(File)
        )
        if made is not None:
            return _facts(made, await session.get_one(Blob, made.address), port.ring), superfluous
        known = (await session.scalars(select(File).where(*mine))).one()
    if known.sha256 != stored.sha256:
        raise UploadKeyReused
    return _facts(known, await session.get_one(Blob, known.address), port.ring), stored.object_key


async def _keep_content(
    session: AsyncSession, port: FilePort, stored: Stored, *, now: datetime
) -> str | None:
    """Content is kept once. Returns the object that is superfluous because the same content is there."""
    fresh = await session.execute(
        insert(Blob)
        .values(
            address=_address(port, stored),
            object_key=stored.object_key,
            sealed_key=stored.sealed_key,
            size=stored.size,
            media_type=stored.media_type,
            scan=stored.scan.value,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["address"])
        .returning(Blob.address)
    )
    return None if fresh.first() else stored.object_key


def _address(port: FilePort, stored: Stored) -> bytes:
    return port.ring.blind_index(stored.sha256.hex(), column=_ADDRESS_COLUMN)


async def attach(
    session: AsyncSession,
    file_ids: Sequence[UUID],
    *,
    application_id: UUID,
    material_code: str,
    formats: Collection[str],
    caller: Caller,
    quota: Quota = APPLICATION_QUOTA,
) -> list[str]:
    """Makes the caller's files the content of one material, in place of earlier ones. Returns their SHA-256.

    The caller holds the application's row, so two materials at once do not both find the same room.
    Raises: NoSuchFile, FileOfAnotherMaterial, FileTypeRefused, ApplicationFilesFull.
    """
    rows = (
        await session.execute(
            select(File, Blob.media_type)
            .join(Blob, Blob.address == File.address)
            .where(File.id.in_(file_ids))
            .with_for_update(of=File)
        )
    ).all()
    found = {file.id: (file, media_type) for file, media_type in rows}
    for file_id in file_ids:
        file, media_type = found.get(file_id, (None, ""))
        mine = file is not None and (
            file.application_id == application_id
            or (file.application_id is None and file.uploaded_by == _owner(caller))
        )
        if file is None or not mine:
            raise NoSuchFile
        if file.material_code not in (None, material_code):
            raise FileOfAnotherMaterial
        if formats and media_type not in formats:
            raise FileTypeRefused
    await session.execute(
        update(File)
        .where(File.application_id == application_id, File.material_code == material_code)
        .where(File.id.not_in(file_ids))
        .values(application_id=None, material_code=None)
    )
    await session.execute(
        update(File)
        .where(File.id.in_(file_ids))
        .values(application_id=application_id, material_code=material_code)
    )
    await need_fitting(session, application_id, quota)
    return [found[file_id][0].sha256.hex() for file_id in file_ids]


async def release_files(
    session: AsyncSession, application_id: UUID, material_code: str | None = None
) -> None:
    """Files of a material, or of a discarded draft, become orphans."""
    statement = update(File).where(File.application_id == application_id)
    if material_code is not None:
        statement = statement.where(File.material_code == material_code)
    await session.execute(statement.values(application_id=None, material_code=None))


async def files_of(session: AsyncSession, application_id: UUID, ring: KeyRing) -> dict[str, list[FileFacts]]:
    """The files of an application by material code, in the order they were sent."""
    rows = await session.execute(
        select(File, Blob)
        .join(Blob, Blob.address == File.address)
        .where(File.application_id == application_id)
        .order_by(File.id)
    )
    found: dict[str, list[FileFacts]] = {}
    for file, blob in rows:
        found.setdefault(file.material_code or "", []).append(_facts(file, blob, ring))
    return found


async def files_of_all(
    session: AsyncSession, application_ids: Collection[UUID], ring: KeyRing
) -> dict[tuple[UUID | None, str | None], list[FileFacts]]:
    """The files of many applications, by application and material code, in the order they were sent."""
    rows = await session.execute(
        select(File, Blob)
        .join(Blob, Blob.address == File.address)
        .where(File.application_id.in_(application_ids))
        .order_by(File.id)
    )
    found: dict[tuple[UUID | None, str | None], list[FileFacts]] = {}
    for file, blob in rows:
        found.setdefault((file.application_id, file.material_code), []).append(_facts(file, blob, ring))
    return found


async def own_file(session: AsyncSession, file_id: UUID, caller: Caller) -> UUID:
    """The file, when the caller uploaded it and no application has taken it.

    From then on it is the applicant's: an agent whose power ended opens nothing of theirs. Raises: NoSuchFile.
    """
    found = await session.scalar(
        select(File.id).where(
            File.id == file_id, File.uploaded_by == _owner(caller), File.application_id.is_(None)
        )
    )
    if found is None:
        raise NoSuchFile
    return found


def sign_link(ring: KeyRing, file_id: UUID, *, now: datetime) -> tuple[str, datetime]:
    """A path that opens the file for five minutes, whoever holds it."""
    expires = int(now.timestamp()) + LINK_SECONDS
    signature = ring.blind_index(f"{file_id}:{expires}", column=_LINK_COLUMN).hex()
    path = f"/acceptance/v1/files/{file_id}/content?expires={expires}&signature={signature}"
    return path, datetime.fromtimestamp(expires, UTC)


def check_link(ring: KeyRing, file_id: UUID, expires: int, signature: str, *, now: datetime) -> None:
    """Raises: LinkInvalid."""
    expected = ring.blind_index(f"{file_id}:{expires}", column=_LINK_COLUMN).hex()
    if not hmac.compare_digest(expected, signature) or now.timestamp() > expires:
        raise LinkInvalid


@dataclass(frozen=True)
class OpenFile:
    """A file ready to be sent."""

    name: str
    media_type: str
    size: int
    content: AsyncIterator[bytes]


async def open_file(session: AsyncSession, port: FilePort, file_id: UUID) -> OpenFile:
    """Finds a file and prepares its decryption; nothing is read yet. Raises: NoSuchFile."""
    row = (
        await session.execute(
            select(File.name, Blob).join(Blob, Blob.address == File.address).where(File.id == file_id)
        )
    ).first()
    if row is None:
        raise NoSuchFile
    blob: Blob = row.Blob
    key = FileKey.unsealed(blob.sealed_key, port.ring)
    name = port.ring.decrypt(row.name, column=_NAME_COLUMN)
    return OpenFile(name, blob.media_type, blob.size, key.decrypt(port.store.read(blob.object_key)))


async def forget_orphans(session: AsyncSession, *, now: datetime) -> tuple[list[str], bool]:
    """Drops uploads that no application took within a day, a batch at a time, and content that nobody has any more.

    Returns the objects to delete once this transaction is committed, and whether more uploads may wait.
    """
    until = now - QUOTA_SPAN
    orphans = (
        select(File.id).where(File.application_id.is_(None), File.created_at < until).limit(_SWEEP_BATCH)
    )
    dropped = (await session.scalars(delete(File).where(File.id.in_(orphans)).returning(File.id))).all()
    unused = (
        delete(Blob)
        .where(Blob.created_at < until, ~exists().where(File.address == Blob.address))
        .returning(Blob.object_key)
    )
    return list(await session.scalars(unused)), len(dropped) == _SWEEP_BATCH


async def unknown_objects(session: AsyncSession, keys: Sequence[str]) -> list[str]:
    """Of these objects, those that the database does not know: a crash between storing and registering."""
    if not keys:
        return []
    known = set(await session.scalars(select(Blob.object_key).where(Blob.object_key.in_(keys))))
    return [key for key in keys if key not in known]


def _quota(port: FilePort, caller: Caller) -> Quota:
    return port.daily if caller.subject_type == "person" else port.daily.times(port.office_factor)


def _owner(caller: Caller) -> str:
    """Whose upload it is until an application takes it. What an agent uploads is the agent's, so neither opens the other's."""
    own = f"{caller.subject_type}:{caller.subject_id}"
    return f"{own}:{caller.actor_id}" if caller.delegation else own


def _facts(file: File, blob: Blob, ring: KeyRing) -> FileFacts:
    return FileFacts(
        id=file.id,
        name=ring.decrypt(file.name, column=_NAME_COLUMN),
        media_type=blob.media_type,
        size=blob.size,
        sha256=file.sha256.hex(),
        scan=blob.scan,
        created_at=file.created_at,
    )


async def _bounded(content: AsyncIterator[bytes], limit: int) -> AsyncIterator[bytes]:
    read = 0
    async for piece in content:
        read += len(piece)
        if read > limit:
            raise FileTooLarge(limit_mib=limit // 1024**2)
        yield piece


async def _chain(head: bytes, rest: AsyncIterator[bytes] | None) -> AsyncIterator[bytes]:
    yield head
    if rest is not None:
        async for piece in rest:
            yield piece


async def _store(port: FilePort, pieces: AsyncIterator[bytes], media_type: str) -> Stored:
    object_key = uuid4().hex
    key = FileKey.make()
    digest = hashlib.sha256()
    size = 0

    async def measured() -> AsyncIterator[bytes]:
        nonlocal size
        async for piece in pieces:
            digest.update(piece)
            size += len(piece)
            yield piece

    await port.store.write(object_key, key.encrypt(measured()))
    try:
        verdict = await port.scanner.scan(key.decrypt(port.store.read(object_key)))
    except (FileInfected, ScannerAway):
        await port.store.delete(object_key)
        raise
    return Stored(object_key, key.sealed(port.ring), digest.digest(), size, media_type, verdict)

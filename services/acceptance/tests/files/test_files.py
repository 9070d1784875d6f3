"""Uploads: sniffed, stripped, limited, sealed, kept once, swept when nobody takes them."""

import asyncio
import io
import struct
import uuid
import zlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import text

from acceptance_service.applications.domain import ApplicationStatus, Provision
from acceptance_service.applications.handlers import materials
from acceptance_service.applications.models import Application
from acceptance_service.files import handlers
from acceptance_service.files.domain import (
    ApplicationFilesFull,
    FileEmpty,
    FileInfected,
    FileTooLarge,
    FileTypeRefused,
    LinkInvalid,
    NoSuchFile,
    PictureUnreadable,
    Quota,
    Scan,
    UploadKeyReused,
    UploadQuotaUsed,
)
from acceptance_service.files.handlers import FilePort
from acceptance_service.files.pictures import strip_metadata
from acceptance_service.files.scanner import ClamdScanner, ScannerAway
from acceptance_service.files.storage import FolderStore
from acceptance_service.files.vault import FileKey
from acceptance_service.supervision.sweeper import keep_house
from service_common.crypto import UnreadableValue

CHECK_IN_PUBLIC_PLACES = "HN-430300-000123020000-01"
PENSION_ITEM = "HN-430300-002014006001-02"
QUARTER = timedelta(days=90)
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def joined(content: AsyncIterator[bytes]) -> bytes:
    return b"".join([one async for one in content])


async def take(office: Any, content: bytes, caller: Any, key: str = "k1") -> tuple[Any, str | None]:
    port = office.app.state.files
    stored = await handlers.take_in(port, pieces(content[:5], content[5:]))
    facts, superfluous = await handlers.register_upload(
        office.session, port, stored, name="图.pdf", upload_key=key, caller=caller, now=office.now
    )
    return facts, superfluous


def photo() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    exif.get_ifd(0x8825)[1] = "N"
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(out, "JPEG", exif=exif, comment=b"secret comment")
    return out.getvalue()


def test_a_photograph_loses_place_and_device() -> None:
    original = photo()
    assert b"taken at home" in original
    clean = strip_metadata(original, "image/jpeg")
    assert b"taken at home" not in clean
    assert b"secret comment" not in clean
    with Image.open(io.BytesIO(clean)) as picture:
        assert (picture.size, dict(picture.getexif())) == ((60, 40), {})


def test_a_turned_photograph_is_stored_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "red").save(out, "JPEG", exif=exif)
    with Image.open(io.BytesIO(strip_metadata(out.getvalue(), "image/jpeg"))) as picture:
        assert picture.size == (40, 60)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
def test_every_kind_of_png_survives(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (8, 8)).save(out, "PNG")
    with Image.open(io.BytesIO(strip_metadata(out.getvalue(), "image/png"))) as picture:
        assert picture.size == (8, 8)


def test_what_only_begins_like_a_picture_is_refused() -> None:
    with pytest.raises(PictureUnreadable):
        strip_metadata(photo()[:40], "image/jpeg")


@pytest.mark.parametrize("side", [9_000, 12_000, 20_000, 65_535])
def test_a_picture_that_would_fill_the_memory_is_refused(side: int) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    with pytest.raises(PictureUnreadable):
        strip_metadata(bomb, "image/png")


@given(st.lists(st.binary(max_size=90_000), max_size=4))
def test_whatever_is_sealed_opens_again(parts: list[bytes]) -> None:
    key = FileKey.make()

    async def there_and_back() -> bytes:
        return await joined(key.decrypt(key.encrypt(pieces(*parts))))

    assert asyncio.run(there_and_back()) == b"".join(parts)


@pytest.mark.parametrize("damage", ["cut", "flip", "swap"])
async def test_a_damaged_object_does_not_open(damage: str) -> None:
    key = FileKey.make()
    sealed = bytearray(await joined(key.encrypt(pieces(b"x" * 200_000))))
    if damage == "cut":
        del sealed[65_536 + 16 + 7 :]
    elif damage == "flip":
        sealed[100] ^= 1
    else:
        size = 65_536 + 16
        sealed[7 : 7 + 2 * size] = sealed[7 + size : 7 + 2 * size] + sealed[7 : 7 + size]
    with pytest.raises(UnreadableValue):
        await joined(key.decrypt(pieces(bytes(sealed))))


async def test_an_upload_lies_sealed_and_comes_back_whole(office: Any) -> None:
    facts, _ = await take(office, PDF, office.citizen())
    port = office.app.state.files
    opened = await handlers.open_file(office.session, port, facts.id)
    assert await joined(opened.content) == PDF
    for path in port.store._folder.rglob("*.sealed"):
        assert b"%PDF" not in path.read_bytes()


async def test_the_type_is_what_the_content_says(office: Any) -> None:
    with pytest.raises(FileTypeRefused):
        await take(office, b"MZ\x90\x00" + b"\x00" * 100, office.citizen())


async def test_a_file_beyond_the_limit_is_refused_while_it_arrives(office: Any) -> None:
    with pytest.raises(FileTooLarge):
        await take(office, PDF + b"x" * 2_000_000, office.citizen())
    assert list(office.app.state.files.store._folder.rglob("*.sealed")) == []


async def test_an_empty_upload_is_refused(office: Any) -> None:
    with pytest.raises(FileEmpty):
        await take(office, b"", office.citizen())


async def test_the_same_key_and_content_give_the_same_file(office: Any) -> None:
    citizen = office.citizen()
    first, _ = await take(office, PDF, citizen)
    again, superfluous = await take(office, PDF, citizen)
    assert again.id == first.id
    assert superfluous is not None
    with pytest.raises(UploadKeyReused):
        await take(office, PDF + b"other", citizen)


async def test_equal_content_of_two_people_is_kept_once(office: Any) -> None:
    await take(office, PDF, office.citizen())
    _, superfluous = await take(office, PDF, office.citizen())
    assert superfluous is not None
    assert await office.session.scalar(text("SELECT count(*) FROM blobs")) == 1
    assert await office.session.scalar(text("SELECT count(*) FROM files")) == 2


async def test_a_link_opens_for_five_minutes_and_cannot_be_forged(office: Any) -> None:
    file_id = uuid.uuid4()
    path, expires_at = handlers.sign_link(office.ring, file_id, now=office.now)
    expires = int(expires_at.timestamp())
    signature = path.rsplit("=", 1)[1]
    handlers.check_link(office.ring, file_id, expires, signature, now=office.now)
    for forged in (
        {"expires": expires + 60},
        {"signature": "0" * 64},
        {"file_id": uuid.uuid4()},
        {"now": office.now + timedelta(minutes=6)},
    ):
        given = {"file_id": file_id, "expires": expires, "signature": signature, "now": office.now} | forged
        with pytest.raises(LinkInvalid):
            handlers.check_link(
                office.ring, given["file_id"], given["expires"], given["signature"], now=given["now"]
            )


async def test_only_who_uploaded_it_gets_a_link(office: Any) -> None:
    facts, _ = await take(office, PDF, owner := office.citizen())
    assert await handlers.own_file(office.session, facts.id, owner) == facts.id
    with pytest.raises(NoSuchFile):
        await handlers.own_file(office.session, facts.id, office.citizen())


async def test_orphans_and_lost_objects_are_swept_after_a_day_and_nothing_else(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers, "_SWEEP_BATCH", 1)  # one round goes on until nothing waits
    citizen = office.citizen()
    orphan, _ = await take(office, PDF, citizen)
    receipt = await office.apply(citizen, item="HN-430300-002014006001-02")
    kept = await office.upload(citizen)
    port = office.app.state.files
    await port.store.write("0" * 32, pieces(b"left behind by a crash"))
    await office.session.commit()
    database = office.app.state.database
    await keep_house(database, port, untouched=QUARTER, now=office.now + timedelta(hours=2))
    assert (await handlers.open_file(office.session, port, orphan.id)).size == len(PDF)
    # Objects are as old as their files on disk, so the sweep looks from far in the future.
    await keep_house(database, port, untouched=QUARTER, now=office.now + timedelta(days=400))
    for gone in (orphan.id, kept):
        with pytest.raises(NoSuchFile):
            await handlers.open_file(office.session, port, gone)
    held = await handlers.files_of(office.session, receipt.application.id, office.ring)
    stored = {path.stem for path in port.store._folder.rglob("*.sealed")}
    assert len(stored) == sum(len(files) for files in held.values())


async def test_nobody_uploads_more_files_a_day_than_the_quota(office: Any) -> None:
    office.app.state.files = replace(
        office.app.state.files, daily=Quota(files=2, size=10_000), office_factor=2
    )
    citizen = office.citizen()
    for number in range(2):
        await take(office, PDF + bytes([number]), citizen, key=f"k{number}")
    with pytest.raises(UploadQuotaUsed) as refused:
        await take(office, PDF + b"more", citizen, key="k2")
    assert refused.value.retry_after == 24 * 3600
    await take(office, PDF + b"\x00", citizen, key="k0")  # a repetition is no upload
    await take(office, PDF, office.citizen(), key="k2")  # and everybody has a quota of their own
    clerk = office.approver("HN-430300-WSJK")
    for number in range(4):
        await take(office, PDF + bytes([number]), clerk, key=f"k{number}")
    with pytest.raises(UploadQuotaUsed):
        await take(office, PDF, clerk, key="k4")
    office.later(hours=24)
    await take(office, PDF + b"more", citizen, key="k2")


async def test_the_size_of_a_days_uploads_is_bounded_and_the_refusal_keeps_nothing(
    office: Any, token: Any
) -> None:
    office.app.state.files = replace(office.app.state.files, daily=Quota(files=50, size=len(PDF) + 50))
    bearer = token(sub=str(uuid.uuid4()), subject_type="person", scope="acceptance:files.write")
    async with office.client() as client:
        sent = [
            await client.post(
                "/acceptance/v1/files",
                files={"file": ("图.pdf", PDF + bytes(number * 40), "application/pdf")},
                headers={
                    "Authorization": f"Bearer {bearer}",
                    "Idempotency-Key": f"key-{number}",
                    "Accept-Language": "zh",
                },
            )
            for number in (1, 2)
        ]
    assert [one.status_code for one in sent] == [201, 429], sent[1].text
    assert sent[1].json()["code"] == "upload_quota_used"
    assert int(sent[1].headers["Retry-After"]) > 0
    assert len(list(office.app.state.files.store._folder.rglob("*.sealed"))) == 1


async def test_an_application_holds_only_so_much(office: Any) -> None:
    citizen = office.citizen()
    application, plan = await office.draft(citizen, item=CHECK_IN_PUBLIC_PLACES)
    material = next(one for one in plan.materials if one.formats)
    files = [await office.upload(citizen) for _ in range(3)]

    async def provide(count: int, quota: Quota) -> None:
        given = materials.ProvisionInput(Provision.FILES, files[:count])
        await materials.provide_material(
            office.session, application.id, material.code, given, caller=citizen, now=office.now, quota=quota
        )

    await provide(2, Quota(files=2, size=10_000))
    await provide(1, Quota(files=1, size=10_000))  # in place of the two
    for quota in (Quota(files=2, size=10_000), Quota(files=3, size=100)):
        with pytest.raises(ApplicationFilesFull):
            await provide(3, quota)


async def test_a_draft_that_nobody_touched_is_given_up_and_its_files_are_swept(office: Any) -> None:
    citizen = office.citizen()
    drafts = [(await office.draft(citizen, item=item)) for item in (CHECK_IN_PUBLIC_PLACES, PENSION_ITEM)]
    for application, plan in drafts:
        await office.fill(application, plan, citizen)
    forgotten, fresh = (application.id for application, _ in drafts)
    long_ago = office.now - timedelta(days=91)
    await office.session.execute(
        text("UPDATE applications SET updated_at = :at WHERE id = :id"), {"at": long_ago, "id": forgotten}
    )
    await office.session.execute(
        text("UPDATE application_materials SET provided_at = :at WHERE application_id = :id"),
        {"at": long_ago, "id": forgotten},
    )
    await office.session.commit()
    office.session.expire_all()
    database, port = office.app.state.database, office.app.state.files
    await keep_house(database, port, untouched=QUARTER, now=office.now)
    assert (await office.session.get_one(Application, forgotten)).status is ApplicationStatus.DISCARDED
    assert (await office.session.get_one(Application, fresh)).status is ApplicationStatus.DRAFT
    assert await handlers.files_of(office.session, forgotten, office.ring) == {}
    assert (await office.history(forgotten))[-1] == "DISCARDED"


async def fake_clamd(verdict: bytes) -> tuple[asyncio.Server, int, list[bytes]]:
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\x00")
        body = b""
        while size := int.from_bytes(await reader.readexactly(4), "big"):
            body += await reader.readexactly(size)
        seen.append(body)
        writer.write(b"stream: " + verdict + b"\x00")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1], seen


async def test_a_clean_file_passes_the_scanner_whole() -> None:
    server, port, seen = await fake_clamd(b"OK")
    async with server:
        assert await ClamdScanner("127.0.0.1", port).scan(pieces(b"ab", b"cd")) is Scan.CLEAN
    assert seen == [b"abcd"]


async def test_an_infected_upload_is_refused_and_leaves_nothing(office: Any, tmp_path: Path) -> None:
    server, port, _ = await fake_clamd(b"Eicar-Signature FOUND")
    store = FolderStore(tmp_path / "scanned")
    async with server:
        scanned = FilePort(store, ClamdScanner("127.0.0.1", port), office.ring, 1024 * 1024)
        with pytest.raises(FileInfected):
            await handlers.take_in(scanned, pieces(PDF))
    assert await store.keys_older_than(1e12) == []


async def test_a_scanner_that_is_down_lets_nothing_pass(office: Any, tmp_path: Path) -> None:
    scanned = FilePort(FolderStore(tmp_path), ClamdScanner("127.0.0.1", 1), office.ring, 1024 * 1024)
    with pytest.raises(ScannerAway):
        await handlers.take_in(scanned, pieces(PDF))

"""Numbers of people lie nowhere in clear: planted ones are looked for in everything that the platform has written.

The same search finds what is meant to be there, in each kind of place: it can see.
"""

import base64
import json
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

import httpx
import psycopg
import pytest
from tests.journeys.places import places, search_files, search_rows
from tests.journeys.planted_journey import Left, planted_person, walk
from tests.journeys.test_every_theme import DIVISIONS

from lianban_local import unprivileged
from lianban_local.authority.register import population
from lianban_local.demo import people
from lianban_local.demo.app import App
from lianban_local.state import StateFolder
from lianban_local.testing.stack import RunningPlatform

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(420)]

_WRITTEN_SECONDS = 60.0
"""Spans are written in batches, and Envoy keeps its log back for a second; both take longer where much is going on."""


@pytest.fixture
async def left(platform: RunningPlatform) -> Left:
    """The journey, every request of which is traced: the caller's trace says so."""
    traced = {"traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"}
    theme = next(code for code in DIVISIONS if not code.startswith("43T"))
    async with httpx.AsyncClient(timeout=30, headers=traced) as http:
        app = App(platform.run, http)
        return await walk(app, platform.state / "sms.jsonl", theme, DIVISIONS[theme])


def _admin_url(platform: RunningPlatform) -> str:
    password = StateFolder(platform.state).password("postgres")
    return f"postgresql://postgres:{password}@127.0.0.1:{platform.port('postgres')}/postgres"


def _planted() -> dict[str, str]:
    """Of the journey's person, and of one of the cast, whose identity card is in the licence library."""
    seeded = next(
        one for one in population().natural_persons if one.name == people.CAST["citizens"][0]["name"]
    )
    return {
        f"{kind} of {person.name}": number
        for person in (planted_person(), seeded)
        for kind, number in (("number", person.id_number), ("telephone", person.phone))
    }


def _meant(left: Left) -> Mapping[str, str]:
    """By kind of place what must be found there."""
    return {
        "database files": left.project_no,
        "WAL": left.project_no,
        "rows": left.project_no,
        "nats": left.project_no,
        "access log": left.application_id,
        "traces": left.application_id,
        "logs": left.delivery_id,
    }


async def test_planted_numbers_are_found_nowhere_and_what_is_meant_to_be_there_everywhere(
    platform: RunningPlatform, left: Left
) -> None:
    admin_url = _admin_url(platform)
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("CHECKPOINT")
    folder = unprivileged.data_folder(unprivileged.best_way(), platform.state / "postgres")
    planted, meant = _planted(), _meant(left)
    for place in ("traces", "access log"):
        _wait_until_written(platform.state, folder, place, meant[place])
    found = list(search_rows(admin_url, {**planted, "control": meant["rows"]}))
    for place, files in places(platform.state, folder).items():
        control = {"control": meant[place]} if place in meant else {}
        found += search_files(place, iter(files), {**planted, **control})
    assert [one for one in found if one.what != "control"] == []
    assert {one.place for one in found if one.what == "control"} == set(meant)
    assert any((platform.state / "files").rglob("*")), "files were uploaded, and searched"


def _wait_until_written(state: Path, postgres: Path, place: str, text: str) -> None:
    give_up = time.monotonic() + _WRITTEN_SECONDS
    while not any(
        text in file.read_text(errors="replace") for file in places(state, postgres).get(place, [])
    ):
        assert time.monotonic() < give_up, f"{text} was not written"
        time.sleep(0.2)


def test_the_search_sees_a_number_in_every_form(tmp_path: Path) -> None:
    """Without the platform: each form, amid other bytes, is seen."""
    number = planted_person().id_number
    written = {
        "json": json.dumps({"text": f"证件{number}。"}).encode(),
        "utf-16": f"证件{number}".encode("utf-16"),
        "hex": f"\\x00{number.encode().hex()}ff".encode(),
        "reversed": number[::-1].encode(),
        **{f"base64-{n}": base64.b64encode(b"x" * n + number.encode() + b"yz") for n in range(3)},
    }
    for name, content in written.items():
        (tmp_path / name).write_bytes(b"\x00" * 100 + content)
    seen = {
        Path(one.where.split(":")[0]).name for one in search_files("here", tmp_path.iterdir(), {"it": number})
    }
    assert seen == set(written)

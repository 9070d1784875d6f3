"""Every column of sealed values is declared as one, by the name that its values are bound to: keys could not rotate else."""

import importlib
from pathlib import Path

import pytest
from sqlalchemy import LargeBinary, MetaData
from tests.guards.authorization.rooms import open_room

from lianban_local.deployables import DEPLOYABLES
from lianban_local.testing.brokers import TestNats
from lianban_local.testing.databases import TestPostgres
from service_common.app import Service
from service_common.crypto import KeyRing
from service_common.resealing import reseal, sealed_columns

ROOT = Path(__file__).parents[2]
SERVICES = {deployable.name: deployable for deployable in DEPLOYABLES}

# Bytes that are no sealed value: keyed hashes and blind indexes by their names, and these.
_HASHES = ("hash", "_index", "digest", "sha256")
_PLAIN = {
    "dead_events.body",  # an event: it carries nothing personal
    "idempotency_keys.fingerprint",
    "attempts.key",
    "refresh_tokens.salt",
    "passkeys.credential_id",
    "passkeys.public_key",
    "passkey_challenges.challenge",
    "blobs.address",
    "files.address",
}


def metadata_of(name: str) -> MetaData:
    importlib.import_module(f"{SERVICES[name].module}.app")  # with every slice's models
    metadata: MetaData = importlib.import_module(f"{SERVICES[name].module}.db").Base.metadata
    return metadata


@pytest.mark.parametrize("name", SERVICES)
def test_bytes_are_sealed_or_said_not_to_be(name: str) -> None:
    sealed = {one.title for one in sealed_columns(metadata_of(name))}
    undeclared = [
        f"{table.name}.{column.name}"
        for table in metadata_of(name).sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
        and not column.name.endswith(_HASHES)
        and f"{table.name}.{column.name}" not in _PLAIN | sealed
    ]
    assert undeclared == []
    assert sealed & _PLAIN == set()


@pytest.mark.parametrize("name", SERVICES)
def test_a_declared_name_is_one_that_the_code_seals_for(name: str) -> None:
    folder = SERVICES[name].folder / "src"
    code = "".join(file.read_text() for file in folder.rglob("*.py") if file.name != "models.py")
    code += (ROOT / "libs/common/src/service_common/idempotency.py").read_text()
    for one in sealed_columns(metadata_of(name)):
        assert f'"{one.name}"' in code, one.title


@pytest.mark.parametrize("name", ["hotline", "certificates"])
async def test_what_a_service_has_sealed_opens_for_its_new_key(
    name: str, postgres: TestPostgres, nats_server: TestNats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_room(name, postgres, nats_server, tmp_path, monkeypatch) as room:
        await room.furnish()
        service: Service = room.app.state.service
        ring: KeyRing = room.app.state.key_ring
        newer = KeyRing.parse(
            f"9:{'bmV3' * 10}bmU=,{service.settings.data_keys.get_secret_value()}",
            service.settings.index_key.get_secret_value(),
        )
        done = await reseal(room.app.state.database, newer, service.metadata)
        assert {one.unreadable for one in done} == {0}
        assert sum(one.resealed for one in done) == sum(one.due for one in done) > 0
        assert {one.due for one in await reseal(room.app.state.database, newer, service.metadata)} == {0}
        assert ring.newest != newer.newest

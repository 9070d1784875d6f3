"""A server that cannot prove who it is gets nothing, on any of the ways to it; a renewed authority is taken up while we run.

The PostgreSQL of the tests is built without TLS: a gate before it ends TLS as the real server does, and passes on the rest.
"""

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from sqlalchemy import text

from lianban_local.testing.databases import TestPostgres
from service_common.clock import utc_now
from service_common.db import Database
from service_common.jobs import cancel_all
from service_common.migrations import migrate
from service_common.relay import _LEADER_LOCK, Relay
from service_common.settings import ServiceSettings
from service_common.streams import connect

MIGRATIONS = Path(__file__).parent / "toy_migrations"
# PostgreSQL's protocol, "SSLRequest": what a client sends before anything else when it wants TLS.
_SSL_REQUEST = bytes.fromhex("00000008 04d2162f")


@dataclass(frozen=True)
class Authority:
    """The file that a service is told to trust; what stands in it changes while the service runs."""

    file: Path
    right: bytes
    wrong: bytes

    def mistake(self) -> None:
        self.file.write_bytes(self.wrong)

    def renew(self) -> None:
        self.file.write_bytes(self.right)


def certificate_of_loopback() -> tuple[bytes, bytes]:
    """A certificate for 127.0.0.1 that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = utc_now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem), private


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while block := await reader.read(65536):
            writer.write(block)
            await writer.drain()
    writer.close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    certificate, key = certificate_of_loopback()
    (tmp_path / "server.pem").write_bytes(certificate + key)
    authority = Authority(tmp_path / "ca.crt", certificate, certificate_of_loopback()[0])
    authority.renew()
    return authority


@pytest.fixture
async def gate(authority: Authority, settings: ServiceSettings) -> AsyncIterator[str]:
    """The URL of the toy's database behind a gate that speaks TLS alone."""
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(authority.file.with_name("server.pem"))
    behind = urlsplit(settings.database_url.get_secret_value())

    async def let_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(8) != _SSL_REQUEST:
            writer.close()
            return
        writer.write(b"S")
        try:
            await writer.start_tls(server_side)
        except OSError:  # the client does not trust us
            writer.close()
            return
        inner_reader, inner_writer = await asyncio.open_connection(behind.hostname, behind.port)
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))

    server = await asyncio.start_server(let_in, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield behind._replace(netloc=f"{behind.username}:{behind.password}@127.0.0.1:{port}").geturl()


@pytest.fixture
def secured(settings: ServiceSettings, gate: str, authority: Authority) -> ServiceSettings:
    told = {"database_url": SecretStr(gate), "database_ca_file": authority.file}
    return settings.model_copy(update=told)


async def reach(settings: ServiceSettings) -> None:
    database = Database.connect(settings)
    try:
        async with database.sessions() as session:
            await session.execute(text("SELECT 1"))
    finally:
        await database.close()


async def test_a_server_of_the_authority_is_spoken_to(secured: ServiceSettings) -> None:
    await reach(secured)


async def test_a_server_of_another_authority_is_refused(
    secured: ServiceSettings, authority: Authority
) -> None:
    authority.mistake()
    with pytest.raises(ssl.SSLCertVerificationError):
        await reach(secured)


async def test_a_renewed_authority_is_trusted_without_a_restart(
    secured: ServiceSettings, authority: Authority
) -> None:
    authority.mistake()
    database = Database.connect(secured)
    with pytest.raises(ssl.SSLCertVerificationError):
        async with database.engine.connect():
            pass
    authority.renew()
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1
    await database.close()


async def test_a_server_of_another_name_is_refused(secured: ServiceSettings) -> None:
    elsewhere = secured.database_url.get_secret_value().replace("127.0.0.1", "localhost")
    with pytest.raises(ssl.SSLCertVerificationError):
        await reach(secured.model_copy(update={"database_url": SecretStr(elsewhere)}))


async def test_a_server_without_tls_is_refused(settings: ServiceSettings, authority: Authority) -> None:
    with pytest.raises(ConnectionError):
        await reach(settings.model_copy(update={"database_ca_file": authority.file}))


async def test_migrations_verify_the_server(
    secured: ServiceSettings, authority: Authority, postgres: TestPostgres
) -> None:
    empty = urlsplit(postgres.create_database("tls_empty"))
    url = empty._replace(
        netloc=empty.netloc.replace(
            f":{empty.port}", f":{urlsplit(secured.database_url.get_secret_value()).port}"
        )
    ).geturl()
    authority.mistake()
    with pytest.raises(ssl.SSLCertVerificationError):
        await asyncio.to_thread(migrate, url, MIGRATIONS, ca_file=authority.file)
    authority.renew()
    await asyncio.to_thread(migrate, url, MIGRATIONS, ca_file=authority.file)
    connection = await asyncpg.connect(empty.geturl())
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == "0001"
    await connection.close()


async def test_the_relay_verifies_the_server_on_its_own_connection(
    secured: ServiceSettings, settings: ServiceSettings, authority: Authority, database: Database
) -> None:
    observer = await asyncpg.connect(settings.database_url.get_secret_value())
    leading = """SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND granted
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
    authority.mistake()
    client = await connect(secured, "test")
    relay = asyncio.create_task(Relay("identity", secured, database, client).run())
    try:
        await asyncio.sleep(1.5)
        assert await observer.fetchval(leading, _LEADER_LOCK) == 0
        authority.renew()
        async with asyncio.timeout(60):
            while await observer.fetchval(leading, _LEADER_LOCK) == 0:
                await asyncio.sleep(0.05)
    finally:
        await cancel_all({relay})
        await client.close()
        await observer.close()

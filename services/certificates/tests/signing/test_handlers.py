import json
from datetime import timedelta

from joserfc import jws
from joserfc.jwk import KeySet
from sqlalchemy import select

from certificates_service.signing.domain import take_apart
from certificates_service.signing.handlers import Unsigned, open_document, public_keys, rotate_key, sign
from certificates_service.signing.models import SigningKey
from service_common.clock import utc_now
from service_common.crypto import KeyRing
from service_common.db import Database

CONTENT = Unsigned({"jti": "an identifier"}, {"名称": "试验田便利店"})


async def test_the_first_signature_makes_a_key_and_the_next_uses_it(
    database: Database, ring: KeyRing
) -> None:
    now = utc_now()
    async with database.sessions() as session, session.begin():
        [first] = await sign(session, ring, [CONTENT], now=now)
    async with database.sessions() as session, session.begin():
        [second] = await sign(session, ring, [CONTENT], now=now)
    assert first.key_id == second.key_id
    assert first.document != second.document  # fresh salts


async def test_anybody_can_verify_with_the_public_keys_alone(database: Database, ring: KeyRing) -> None:
    async with database.sessions() as session, session.begin():
        [signed] = await sign(session, ring, [CONTENT], now=utc_now())
        published = KeySet.import_key_set({"keys": await public_keys(session)})
    verified = jws.deserialize_compact(take_apart(signed.document).jws, published, algorithms=["ES256"])
    assert verified.protected["typ"] == "dc+sd-jwt"
    payload = json.loads(verified.payload)
    assert payload["_sd_alg"] == "sha-256"
    assert "试验田" not in json.dumps(payload, ensure_ascii=False)


async def test_the_private_key_is_not_readable_in_the_database(database: Database, ring: KeyRing) -> None:
    async with database.sessions() as session, session.begin():
        await sign(session, ring, [CONTENT], now=utc_now())
        row = (await session.scalars(select(SigningKey))).one()
    assert "d" not in row.public_jwk
    assert b'"d"' not in row.private_jwk


async def test_a_rotated_key_is_published_at_once_and_signs_later(database: Database, ring: KeyRing) -> None:
    now = utc_now()
    async with database.sessions() as session, session.begin():
        [old] = await sign(session, ring, [CONTENT], now=now)
        new = await rotate_key(session, ring, now=now, overlap=timedelta(hours=24))
        assert {key["kid"] for key in await public_keys(session)} == {old.key_id, new.kid}
        [still_old] = await sign(session, ring, [CONTENT], now=now + timedelta(hours=23))
        [with_new] = await sign(session, ring, [CONTENT], now=now + timedelta(hours=25))
        assert (still_old.key_id, with_new.key_id) == (old.key_id, new.kid)
        assert await open_document(session, old.document) is not None


async def test_a_changed_document_does_not_open(database: Database, ring: KeyRing) -> None:
    async with database.sessions() as session, session.begin():
        [signed] = await sign(session, ring, [CONTENT], now=utc_now())
        header, payload, signature = take_apart(signed.document).jws.split(".")
        forged = ".".join([header, payload[:-2] + ("AA" if payload[-2:] != "AA" else "BB"), signature])
        assert await open_document(session, f"{forged}~") is None


async def test_a_document_of_another_issuer_does_not_open(
    database: Database, ring: KeyRing, empty_database: Database
) -> None:
    async with database.sessions() as session:
        [foreign] = await sign(session, ring, [CONTENT], now=utc_now())
        await session.rollback()  # their key is not among ours
        assert await open_document(session, foreign.document) is None

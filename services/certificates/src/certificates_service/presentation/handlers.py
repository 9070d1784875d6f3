"""Showing a licence, and checking one: by a shown code, by its identifier, by its signed document."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import segno
from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.licences.domain import STATUS_LABELS, NoSuchLicence
from certificates_service.licences.handlers.read import (
    held_licence,
    is_valid_at,
    licence_by_id,
    licence_called,
    masked_surface_of,
    status_at,
)
from certificates_service.licences.models import Licence
from certificates_service.presentation.domain import (
    TOKEN_BYTES,
    CannotPresent,
    CodeNotValid,
    NoDepartment,
    code_text,
    token_hash,
)
from certificates_service.presentation.models import PresentationCode
from certificates_service.presentation.repository import end_codes_of_person, redeem
from certificates_service.signing.handlers import open_document
from certificates_service.types.handlers import read_type
from certificates_service.uses.domain import Purpose, Use
from certificates_service.uses.handlers import record_use
from service_common.auth import Caller
from service_common.contracts.certificates import UseMode
from service_common.crypto import KeyRing


@dataclass(frozen=True, slots=True)
class Shown:
    """A code to hold up."""

    code: str
    qr_svg: str
    expires_at: datetime


async def present_licence(session: AsyncSession, licence_id: UUID, *, caller: Caller, now: datetime) -> Shown:
    """A fresh code; the one that this person showed before from this licence ends.

    Raises: NoSuchLicence, CannotPresent, TrustLevelTooLow.
    """
    licence = await held_licence(session, licence_id, caller=caller)
    if not is_valid_at(licence, now):
        status = status_at(licence, now)
        raise CannotPresent(status=status.value, label=STATUS_LABELS[status])
    definition = await read_type(session, licence.type_code)
    await end_codes_of_person(session, caller.acting_id, licence.id, now=now)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    expires_at = now + timedelta(seconds=definition.qr_lifetime_seconds)
    session.add(
        PresentationCode(
            token_hash=token_hash(token),
            licence_id=licence.id,
            person_id=caller.acting_id,
            session_id=caller.session_id,
            created_at=now,
            expires_at=expires_at,
        )
    )
    code = code_text(token)
    return Shown(code, segno.make(code, error="m").svg_inline(scale=4, border=4), expires_at)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a department learns: the licence as it stands now, personal values masked."""

    licence: Licence
    surface: dict[str, str]


async def check_shown_code(
    session: AsyncSession, ring: KeyRing, code: str, *, caller: Caller, now: datetime
) -> Checked:
    """Uses the code up. Raises: CodeNotValid, NoDepartment."""
    _need_department(caller)
    licence, shown_by = await _redeem(session, code, now=now)
    use = Use(UseMode.PRESENTED, Purpose.SHOWN_BY_HOLDER, shown_by=shown_by)
    await record_use(session, licence, use, verifier=caller, now=now)
    return Checked(licence, await masked_surface_of(session, ring, licence))


async def check_identifier(
    session: AsyncSession, ring: KeyRing, identifier: str, *, caller: Caller, now: datetime
) -> Checked:
    """By the identifier that is printed on it. Raises: NoSuchLicence, NoDepartment."""
    _need_department(caller)
    licence = await licence_called(session, identifier)
    await record_use(session, licence, Use(UseMode.VERIFIED, Purpose.CHECK), verifier=caller, now=now)
    return Checked(licence, await masked_surface_of(session, ring, licence))


def _need_department(caller: Caller) -> None:
    if caller.department_id is None:
        raise NoDepartment


async def _redeem(session: AsyncSession, code: str, *, now: datetime) -> tuple[Licence, UUID]:
    redeemed = await redeem(session, token_hash(code), now=now)
    if redeemed is None:
        raise CodeNotValid
    licence_id, shown_by = redeemed
    return await licence_by_id(session, licence_id), shown_by


async def is_code_valid(session: AsyncSession, code: str, *, now: datetime) -> bool:
    """For anybody: yes or no, and the code is used up. The holder sees that somebody without login looked."""
    try:
        licence, shown_by = await _redeem(session, code, now=now)
    except CodeNotValid:
        return False
    use = Use(UseMode.PRESENTED, Purpose.SHOWN_BY_HOLDER, shown_by=shown_by)
    await record_use(session, licence, use, verifier=None, now=now)
    return is_valid_at(licence, now)


async def is_identifier_valid(session: AsyncSession, identifier: str, *, now: datetime) -> bool:
    """For anybody who has the printed licence: yes or no.

    Not recorded as a use: nothing of the licence is told, and a flood of these would bury the real entries.
    """
    try:
        licence = await licence_called(session, identifier)
    except NoSuchLicence:
        return False
    return is_valid_at(licence, now)


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """``authentic``: all of it was signed by us. ``valid``: and the licence holds now."""

    authentic: bool
    valid: bool


async def check_document(session: AsyncSession, document: str, *, now: datetime) -> CheckedDocument:
    """The signature as anybody could check it offline, and the status that only we know. Raises: NotALicenceDocument."""
    opened = await open_document(session, document)
    if opened is None:
        return CheckedDocument(authentic=False, valid=False)
    valid = await is_identifier_valid(session, str(opened.claims.get("jti")), now=now)
    return CheckedDocument(authentic=True, valid=valid)

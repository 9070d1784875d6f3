"""Issuing licences: one, a batch, a new version. See docs/issuance-cycle.md for what holds if the process dies."""

import json
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.departments.handlers import departments_by_id
from certificates_service.departments.models import Department
from certificates_service.licences.domain import (
    Action,
    CannotIssue,
    CaseHasLicence,
    Content,
    IssuerNotKnown,
    IssuerNotPermitted,
    NoSuchLicence,
    NotTheIssuer,
    Order,
    Standing,
    check_content,
    effective_status,
    end_of_validity,
    may_issue,
)
from certificates_service.licences.handlers.recording import facts_of, move
from certificates_service.licences.handlers.standing import issuing_departments, standing_of
from certificates_service.licences.models import Licence
from certificates_service.licences.repository import (
    NumberKey,
    licences_of_cases,
    living_by_number,
    take_turns,
)
from certificates_service.signing.handlers import Signed, Unsigned, sign
from certificates_service.types.domain import (
    EXPIRES_ON,
    ISSUED_ON,
    ISSUER_NAME,
    NUMBER,
    TypeDefinition,
    complete_surface,
)
from certificates_service.types.handlers import types_by_code
from gov_rules.identifiers import compose_licence_identifier
from service_common import outbox, timeline
from service_common.auth import Caller
from service_common.clock import SHANGHAI, local_date
from service_common.contracts.certificates import LicenceIssued, LicenceStatus
from service_common.crypto import KeyRing
from service_common.db import new_id
from service_common.errors import FieldProblem
from service_common.etag import check_version
from service_common.timeline import SYSTEM

SURFACE_COLUMN = "licences.surface"
DOCUMENT_COLUMN = "licences.document"

_SERIAL_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_SERIAL_LENGTH = 20  # random, after the guide of Hubei: 103 bits, nobody finds a licence by counting


@dataclass(frozen=True, slots=True)
class Desk:
    """What issuing needs besides the database: the keys of this service, and its name in signed documents."""

    ring: KeyRing
    issuer: str


@dataclass(frozen=True, slots=True)
class _Draft:
    """A licence ready to be signed."""

    row: Licence
    unsigned: Unsigned


async def issue_licence(
    session: AsyncSession, desk: Desk, order: Order, *, caller: Caller, now: datetime
) -> tuple[Licence, bool]:
    """The licence, and whether it was issued now: a case that is told twice gets the licence it has.

    Raises: NotTheIssuer, IssuerNotKnown, IssuerNotPermitted, CannotIssue, CaseHasLicence.
    """
    _check_issuer(caller, order)
    await take_turns(session, _turns(desk.ring, [order]))
    known = await licences_of_cases(session, [_case_key(order)])
    for licence in known.values():
        if licence.order_index != _order_index(desk.ring, order):
            raise CaseHasLicence
        return licence, False
    [licence] = await _issue(session, desk, [order], prefixes=[""], caller=caller, now=now)
    return licence, True


async def issue_batch(
    session: AsyncSession, desk: Desk, orders: Sequence[Order], *, caller: Caller, now: datetime
) -> list[Licence]:
    """All or none, for a department's initial stock. Problems name their row.

    Raises: NotTheIssuer, IssuerNotKnown, IssuerNotPermitted, CannotIssue.
    """
    for order in orders:
        _check_issuer(caller, order)
    await take_turns(session, _turns(desk.ring, orders))
    known = await licences_of_cases(session, [_case_key(order) for order in orders])
    seen = Counter(_case_key(order) for order in orders if order.case_id)
    problems = [
        FieldProblem(
            f"/licences/{row}/case_id",
            "case_has_licence",
            "该办件已有证照。",
            "The case has a licence already.",
        )
        for row, order in enumerate(orders)
        if order.case_id and (_case_key(order) in known or seen[_case_key(order)] > 1)
    ]
    if problems:
        raise CannotIssue(fields=problems)
    prefixes = [f"/licences/{row}" for row in range(len(orders))]
    return await _issue(session, desk, orders, prefixes=prefixes, caller=caller, now=now)


async def reissue_licence(
    session: AsyncSession,
    desk: Desk,
    licence_id: UUID,
    content: Content,
    *,
    case_id: UUID | None,
    project_no: str | None,
    expected_version: int,
    caller: Caller,
    now: datetime,
) -> Licence:
    """The next version, on change 变更 or renewal 延续; the old one is superseded in the same moment.

    Raises: NoSuchLicence, NotTheIssuer, IssuerNotPermitted, Stale, ActionNotPossible, CannotIssue, CaseHasLicence.
    """
    old = await session.get(Licence, licence_id)
    if old is None:
        raise NoSuchLicence
    issuer = await _who_renews(session, caller, old)
    order = Order(old.type_code, old.holder_kind, old.holder_id, issuer, content, case_id, project_no)
    # Turns before rows, here as in `issue_licence`: who waits the other way round waits for ever.
    await take_turns(session, _turns(desk.ring, [order]))
    await session.refresh(old, with_for_update=True)
    check_version(old.version, expected_version)
    await _expire_if_over(session, old, today=local_date(now), now=now)
    if await licences_of_cases(session, [_case_key(order)]):
        raise CaseHasLicence
    # Before the new row is written: both carry the same printed number, and only one living licence may.
    await move(session, old, Action.SUPERSEDE, actor=caller.actor, now=now)
    [new] = await _issue(session, desk, [order], prefixes=[""], caller=caller, now=now, replacing=old)
    old.successor_identifier = new.identifier
    await session.flush()
    return new


async def _issue(
    session: AsyncSession,
    desk: Desk,
    orders: Sequence[Order],
    *,
    prefixes: Sequence[str],
    caller: Caller,
    now: datetime,
    replacing: Licence | None = None,
) -> list[Licence]:
    types = await types_by_code(session, [order.type_code for order in orders])
    issuers = await _issuers(session, orders)
    await _need_permitted(session, orders, types, prefixes)
    taken = await _taken_numbers(session, desk.ring, orders, now=now)
    problems = [
        replace(problem, pointer=prefix + problem.pointer)
        for order, prefix in zip(orders, prefixes, strict=True)
        for problem in _check(order, types.get(order.type_code), taken, desk.ring, local_date(now))
    ]
    if problems:
        raise CannotIssue(fields=problems)
    drafts = [
        _draft(
            desk,
            order,
            types[order.type_code],
            issuers[order.issuer_department_id],
            replacing=replacing,
            now=now,
        )
        for order in orders
    ]
    signed = await sign(session, desk.ring, [draft.unsigned for draft in drafts], now=now)
    for draft, document in zip(drafts, signed, strict=True):
        await _enter(session, desk, draft.row, document, caller=caller, now=now)
    await session.flush()
    return [draft.row for draft in drafts]


def _check_issuer(caller: Caller, order: Order) -> None:
    if not may_issue(caller.subject_type, caller.department_id, order.issuer_department_id):
        raise NotTheIssuer


async def _who_renews(session: AsyncSession, caller: Caller, old: Licence) -> UUID:
    """Whose the next version is: the issuer's, or its successor's. Raises: NoSuchLicence, NotTheIssuer."""
    if may_issue(caller.subject_type, caller.department_id, old.issuer_department_id):
        return old.issuer_department_id
    standing = await standing_of(session, caller, old)
    if standing is Standing.SUCCESSOR and caller.department_id is not None:
        return caller.department_id
    raise NotTheIssuer if standing else NoSuchLicence


async def _need_permitted(
    session: AsyncSession,
    orders: Sequence[Order],
    types: Mapping[str, TypeDefinition],
    prefixes: Sequence[str],
) -> None:
    """Each type is issued by who is competent for it, also when the platform issues for a department.

    Raises: IssuerNotPermitted.
    """
    departments = await issuing_departments(session, (order.issuer_department_id for order in orders))
    problems = [
        FieldProblem(
            f"{prefix}/issuer_department_id",
            "issuer_not_permitted",
            f"该部门不是“{definition.name}”的颁发机关。",
            f"The department does not issue {definition.name}.",
        )
        for order, prefix in zip(orders, prefixes, strict=True)
        if (definition := types.get(order.type_code))
        and not definition.may_be_issued_by(departments[order.issuer_department_id])
    ]
    if problems:
        raise IssuerNotPermitted(fields=problems)


def _turns(ring: KeyRing, orders: Sequence[Order]) -> Iterator[str]:
    """Names on which concurrent issuing must queue: the case, and the printed number."""
    for order in orders:
        if order.case_id:
            yield f"case {order.issuer_department_id} {order.case_id}"
        key = _number_key(ring, order)
        if key:
            yield f"number {key[0]} {key[1]} {key[2].hex()}"


def _case_key(order: Order) -> tuple[UUID, UUID | None]:
    return order.issuer_department_id, order.case_id


def _number_key(ring: KeyRing, order: Order) -> NumberKey | None:
    if order.content.number is None:
        return None
    index = ring.blind_index(order.content.number, column="licences.number")
    return order.type_code, order.issuer_department_id, index


def _order_index(ring: KeyRing, order: Order) -> bytes:
    """A keyed digest of the whole order: tells whether a repeated order is the same one."""
    content = order.content
    parts = [
        order.type_code,
        order.holder_kind,
        str(order.holder_id),
        str(order.issuer_department_id),
        dict(content.surface),
        str(content.valid_from),
        str(content.valid_until),
        content.number,
        order.project_no,
    ]
    return ring.blind_index(json.dumps(parts, ensure_ascii=False, sort_keys=True), column="licences.order")


async def _issuers(session: AsyncSession, orders: Sequence[Order]) -> Mapping[UUID, Department]:
    """Raises: IssuerNotKnown."""
    wanted = {order.issuer_department_id for order in orders}
    issuers = await departments_by_id(session, wanted)
    if any(one not in issuers or not issuers[one].active for one in wanted):
        raise IssuerNotKnown
    return issuers


async def _taken_numbers(
    session: AsyncSession, ring: KeyRing, orders: Sequence[Order], *, now: datetime
) -> set[NumberKey]:
    """Printed numbers that a living licence carries, or that stand twice among the orders."""
    keys = [key for key in (_number_key(ring, order) for order in orders) if key]
    living = await living_by_number(session, keys)
    for licence in living.values():
        await _expire_if_over(session, licence, today=local_date(now), now=now)
    taken = {key for key, licence in living.items() if licence.status is not LicenceStatus.EXPIRED}
    return taken | {key for key, count in Counter(keys).items() if count > 1}


async def _expire_if_over(session: AsyncSession, licence: Licence, *, today: date, now: datetime) -> None:
    """Writes down what the date has done already, where the nightly job has not been yet."""
    effective = effective_status(licence.status, licence.valid_until, today)
    if effective is LicenceStatus.EXPIRED and licence.status is not LicenceStatus.EXPIRED:
        await move(session, licence, Action.EXPIRE, actor=SYSTEM, now=now)


def _check(
    order: Order, definition: TypeDefinition | None, taken: set[NumberKey], ring: KeyRing, today: date
) -> Iterator[FieldProblem]:
    if definition is None:
        yield FieldProblem(
            "/type_code", "unknown_type", "没有这种证照类型。", "There is no such licence type."
        )
        return
    if not definition.holder_kind.admits(order.holder_kind):
        yield FieldProblem(
            "/holder/kind",
            "wrong_holder",
            "该类证照不发给此类主体。",
            "The type is not for this kind of holder.",
        )
    if _number_key(ring, order) in taken:
        yield FieldProblem(
            "/number", "number_taken", "该证照编号已有有效证照。", "A living licence carries this number."
        )
    yield from check_content(definition, order.content, today)


def _draft(
    desk: Desk,
    order: Order,
    definition: TypeDefinition,
    issuer: Department,
    *,
    replacing: Licence | None,
    now: datetime,
) -> _Draft:
    serial = replacing.serial if replacing else _new_serial()
    version = replacing.licence_version + 1 if replacing else 1
    content = order.content
    last_day = end_of_validity(definition, content)
    number = _number_key(desk.ring, order)
    surface = complete_surface(
        definition.surface_fields,
        content.surface,
        {
            # A department that gave no number of its own gets the serial printed: unique, and free of meaning.
            NUMBER: content.number or serial,
            ISSUED_ON: local_date(now).isoformat(),
            EXPIRES_ON: last_day.isoformat() if last_day else "长期",
            ISSUER_NAME: issuer.name,
        },
    )
    row = Licence(
        id=new_id(),
        identifier=compose_licence_identifier(definition.code, issuer.uscc, serial, version),
        serial=serial,
        licence_version=version,
        type_code=definition.code,
        type_name=definition.name,
        holder_kind=order.holder_kind,
        holder_id=order.holder_id,
        issuer_department_id=issuer.id,
        issuer_uscc=issuer.uscc,
        issuer_name=issuer.name,
        division=issuer.division,
        case_id=order.case_id,
        project_no=order.project_no,
        status=LicenceStatus.NORMAL,
        valid_from=content.valid_from,
        valid_until=last_day,
        issued_at=now,
        predecessor_identifier=replacing.identifier if replacing else None,
        surface=desk.ring.encrypt_json(surface, column=SURFACE_COLUMN),
        order_index=_order_index(desk.ring, order),
        number_index=number[2] if number else None,
    )
    return _Draft(row, Unsigned(_claims(desk.issuer, row, now), surface))


def _new_serial() -> str:
    return "".join(secrets.choice(_SERIAL_ALPHABET) for _ in range(_SERIAL_LENGTH))


def _claims(issuer: str, licence: Licence, now: datetime) -> dict[str, Any]:
    """What everybody who has the document reads. Who holds it stands in the fields, which can be left out."""
    claims: dict[str, Any] = {
        "iss": issuer,
        "iat": int(now.timestamp()),
        "nbf": _midnight(licence.valid_from),
        "vct": f"urn:lianban:licence-type:{licence.type_code}",
        "jti": licence.identifier,
        "type_name": licence.type_name,
        "issuing_authority": {"uscc": licence.issuer_uscc, "name": licence.issuer_name},
        "valid_from": licence.valid_from.isoformat(),
    }
    if licence.valid_until:
        claims["valid_until"] = licence.valid_until.isoformat()
        claims["exp"] = _midnight(licence.valid_until + timedelta(days=1))
    return claims


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), SHANGHAI).astimezone(UTC).timestamp())


async def _enter(
    session: AsyncSession, desk: Desk, licence: Licence, signed: Signed, *, caller: Caller, now: datetime
) -> None:
    licence.document = desk.ring.encrypt(signed.document, column=DOCUMENT_COLUMN)
    licence.signing_key_id = signed.key_id
    session.add(licence)
    await outbox.add(session, licence, LicenceIssued(**facts_of(licence)), now=now)
    await timeline.append(
        session,
        licence.id,
        "issue",
        actor=caller.actor,
        at=now,
        facts={
            "identifier": licence.identifier,
            "signing_key": signed.key_id,
            # Of the salted document: proves later what was signed, and tells nothing about whom.
            "document_sha256": sha256(signed.document.encode()).hexdigest(),
            "predecessor": licence.predecessor_identifier,
        },
        first=True,
    )

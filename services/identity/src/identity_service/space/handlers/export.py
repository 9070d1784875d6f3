"""A copy of one's data, in clear, for the person alone (Personal Information Protection Law art. 45)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts.handlers import find_account
from identity_service.delegations.handlers import list_delegations
from identity_service.inbox.domain import wording
from identity_service.inbox.handlers import list_messages
from identity_service.legal_persons import handlers as legal_persons
from identity_service.people.handlers import guardians, lookup
from identity_service.people.handlers.verifications import list_verifications
from identity_service.profiles.handlers import accesses_to
from identity_service.sessions.models import LoginSession
from identity_service.space.handlers.consents import list_consents
from service_common.auth import Caller
from service_common.crypto import KeyRing

MOST_ROWS = 1000
"""Of each list: the answer stays bounded. What is older is told by ``truncated``, and read in the lists themselves."""


async def export_data(
    session: AsyncSession, ring: KeyRing, caller: Caller, *, language: str, now: datetime
) -> dict[str, Any]:
    """Everything that identity knows of the caller. Secrets are not data: no hash, seed or key is in it."""
    person_id = caller.person_id
    known = await lookup.profile_of(session, ring, person_id)
    account = await find_account(session, person_id)
    lists = await _lists(session, caller, person_id, language=language, now=now)
    return {
        "exported_at": now,
        "person": {
            "person_id": person_id,
            "username": account.username if account else None,
            "phone": known.phone,
            "name": known.name,
            "id_number": known.id_number,
            "document_kind": known.document_kind,
            "document_country": known.document_country,
            "birth_date": known.birth_date,
            "language": known.language,
        },
        **{name: rows[:MOST_ROWS] for name, rows in lists.items()},
        "truncated": sorted(name for name, rows in lists.items() if len(rows) > MOST_ROWS),
    }


async def _lists(
    session: AsyncSession, caller: Caller, person_id: UUID, *, language: str, now: datetime
) -> dict[str, list[dict[str, Any]]]:
    verifications = await list_verifications(session, person_id, before=None, limit=MOST_ROWS)
    logins = await session.scalars(
        select(LoginSession)
        .where(LoginSession.account_id == person_id)
        .order_by(LoginSession.id.desc())
        .limit(MOST_ROWS + 1)
    )
    messages = await list_messages(session, person_id, unread_only=False, before=None, limit=MOST_ROWS)
    looks = await accesses_to(session, person_id, before=None, limit=MOST_ROWS)
    represented = await legal_persons.represented_by(session, person_id, now=now)
    return {
        "verifications": [
            _fields(row, "method", "result", "level", "reference", "checked_at", "expires_at")
            for row in verifications
        ],
        "sessions": [
            _fields(row, "device", "place", "methods", "created_at", "last_seen_at", "ended_at")
            for row in logins
        ],
        "consents": [
            _fields(given.consent, "client_id", "scopes", "given_at")
            for given in await list_consents(session, person_id)
        ],
        "represented": [
            {"uscc": one.legal_person.uscc, "name": one.legal_person.name, "acts_as": one.acts_as}
            for one in represented
        ],
        "guardianships": [
            _fields(row, "guardian_id", "child_id", "since", "until")
            for row in await guardians.guardianships_of(session, person_id, now=now)
        ],
        "delegations": [
            _fields(
                row, "principal_id", "agent_id", "acts", "matters", "valid_from", "valid_until", "revoked_at"
            )
            for row in await list_delegations(session, caller, before=None, limit=MOST_ROWS)
        ],
        "messages": [
            {
                "at": row.created_at,
                "read_at": row.read_at,
                "text": wording(row.template, row.facts, language).body,
            }
            for row in messages
        ],
        "accesses": [
            {
                "at": look.entry.at,
                "department": look.department_name,
                "client": look.client_name or look.entry.client_id,
                **_fields(look.entry, "attributes", "purpose", "legal_basis", "reference"),
            }
            for look in looks
        ],
    }


def _fields(row: object, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}

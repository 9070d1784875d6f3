"""Use cases of invitations."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.indicators.domain import Counts, Reviewed, period_of
from evaluation_service.indicators.handlers import count
from evaluation_service.invitations.domain import (
    Contact,
    InvitationState,
    NoSuchInvitation,
    check_open,
    window_end,
)
from evaluation_service.invitations.models import Invitation
from evaluation_service.legal_persons.handlers import who_reviews
from evaluation_service.legal_persons.models import LegalPerson
from service_common import outbox
from service_common.contracts.evaluation import InvitationCreated, ReviewerInformed
from service_common.crypto import KeyRing
from service_common.db import new_id

_BATCH = 200
_SEALED = "invitations.person_sealed"
_SUBMITTED = "invitations.submitted_sealed"


async def invite(
    session: AsyncSession, ring: KeyRing, contact: Contact, *, person_id: UUID, valid_days: int, now: datetime
) -> bool:
    """Invites the person who was served, once for each contact. Returns whether the contact was new."""
    expires_at = window_end(now, valid_days)
    invitation = await _enter(
        session,
        contact,
        now=now,
        state=InvitationState.OPEN,
        expires_at=expires_at,
        person_index=person_index(ring, person_id),
        person_sealed=ring.encrypt(str(person_id), column=_SEALED),
    )
    if invitation is None:
        return False
    await _tell(session, invitation, person_id, now=now)
    await count(session, (invitation.reviewed, Counts(contacts=1)))
    return True


async def _tell(session: AsyncSession, invitation: Invitation, person_id: UUID, *, now: datetime) -> None:
    event = InvitationCreated(
        invitation_id=invitation.id,
        contact_kind=invitation.contact_kind,
        contact_id=invitation.contact_id,
        contact_no=invitation.contact_no,
        person_id=person_id,
        department_id=invitation.department_id,
        expires_at=invitation.expires_at,
    )
    await outbox.add(session, invitation, event, now=now)


@dataclass(frozen=True, slots=True)
class Served:
    """A legal person that was served, and who handed in for it."""

    legal_person_id: UUID
    submitted_by: UUID


async def count_uninvited(
    session: AsyncSession, ring: KeyRing, contact: Contact, served: Served, *, valid_days: int, now: datetime
) -> None:
    """A contact about which nobody can be asked yet: it counts once, and no default is made of it."""
    invitation = await _enter(
        session,
        contact,
        now=now,
        state=InvitationState.UNINVITED,
        expires_at=window_end(now, valid_days),
        legal_person_id=served.legal_person_id,
        submitted_sealed=ring.encrypt(str(served.submitted_by), column=_SUBMITTED),
    )
    if invitation is not None:
        await count(session, (invitation.reviewed, Counts(contacts=1, uninvited=1)))


async def invite_late(session: AsyncSession, ring: KeyRing, *, valid_days: int, now: datetime) -> int:
    """Invites whoever has become known since: news of a legal person may come after its case. Returns how many."""
    rows = (
        await session.scalars(
            select(Invitation)
            .join(LegalPerson, LegalPerson.id == Invitation.legal_person_id)
            .where(Invitation.state == InvitationState.UNINVITED, Invitation.expires_at > now)
            .order_by(Invitation.id)
            .limit(_BATCH)
            .with_for_update(of=Invitation, skip_locked=True)
        )
    ).all()
    invited = []
    for row in rows:
        assert row.legal_person_id is not None
        assert row.submitted_sealed is not None
        submitted_by = UUID(ring.decrypt(row.submitted_sealed, column=_SUBMITTED))
        person_id = await who_reviews(session, row.legal_person_id, submitted_by=submitted_by, now=now)
        if person_id is None:
            continue
        row.state = InvitationState.OPEN
        row.expires_at = window_end(now, valid_days)
        row.person_index = person_index(ring, person_id)
        row.person_sealed = ring.encrypt(str(person_id), column=_SEALED)
        row.legal_person_id = row.submitted_sealed = None
        await _tell(session, row, person_id, now=now)
        invited.append(row)
    await count(session, *((row.reviewed, Counts(uninvited=-1)) for row in invited))
    return len(invited)


async def _enter(
    session: AsyncSession,
    contact: Contact,
    *,
    now: datetime,
    state: InvitationState,
    expires_at: datetime,
    **who: UUID | bytes,
) -> Invitation | None:
    """The row of a contact, or None when it has one. Two deliveries at once meet in the unique key."""
    statement = insert(Invitation).values(
        id=new_id(),
        version=1,
        revision=0,
        contact_kind=contact.kind,
        contact_id=contact.id,
        contact_no=contact.number,
        reference=contact.reference,
        department_id=contact.department_id,
        division=contact.division,
        item_code=contact.item_code,
        item_name=contact.item_name,
        period=period_of(now),
        state=state,
        expires_at=expires_at,
        **who,
    )
    invitation: Invitation | None = (
        await session.scalars(statement.on_conflict_do_nothing().returning(Invitation))
    ).one_or_none()
    return invitation


async def list_invitations(
    session: AsyncSession,
    ring: KeyRing,
    *,
    person_id: UUID,
    open_at: datetime | None,
    before: UUID | None,
    limit: int,
) -> Sequence[Invitation]:
    """A person's own, newest first; with ``open_at`` only those that can still be reviewed then."""
    query = (
        select(Invitation)
        .where(Invitation.person_index == person_index(ring, person_id))
        .order_by(Invitation.id.desc())
        .limit(limit)
    )
    if open_at is not None:
        query = query.where(Invitation.state == InvitationState.OPEN, Invitation.expires_at > open_at)
    if before is not None:
        query = query.where(Invitation.id < before)
    return (await session.scalars(query)).all()


async def take_invitation(
    session: AsyncSession, ring: KeyRing, invitation_id: UUID, *, person_id: UUID, now: datetime
) -> Invitation:
    """Locks an open invitation of this person for its review: two submissions at once become one after the other.

    Raises: NoSuchInvitation, AlreadyReviewed, InvitationExpired.
    """
    invitation = await session.get(Invitation, invitation_id, with_for_update=True)
    if invitation is None or invitation.person_index != person_index(ring, person_id):
        raise NoSuchInvitation
    check_open(invitation.state, invitation.expires_at, now)
    invitation.state = InvitationState.REVIEWED
    return invitation


async def reviewed_of(session: AsyncSession, invitation_id: UUID) -> Reviewed:
    """In which indicators the contact of an invitation counts."""
    invitation = await session.get_one(Invitation, invitation_id)
    return invitation.reviewed


async def inform_reviewer(
    session: AsyncSession, ring: KeyRing, invitation_id: UUID, *, now: datetime
) -> None:
    """Lets the person's inbox know that there is something to read. Told as an event of the invitation, so that the
    rectification's events lead to nobody."""
    invitation = await session.get_one(Invitation, invitation_id, with_for_update=True)
    assert invitation.person_sealed is not None, "who has reviewed was invited"
    person_id = UUID(ring.decrypt(invitation.person_sealed, column=_SEALED))
    await outbox.add(
        session, invitation, ReviewerInformed(invitation_id=invitation_id, person_id=person_id), now=now
    )


async def expire_invitations(session: AsyncSession, *, now: datetime) -> int:
    """Ends the window of a batch of invitations; each counts as a default 默认好评. Returns how many."""
    rows = (
        await session.scalars(
            select(Invitation)
            .where(Invitation.state == InvitationState.OPEN, Invitation.expires_at <= now)
            .order_by(Invitation.expires_at)
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        )
    ).all()
    for row in rows:
        row.state = InvitationState.EXPIRED
    await session.flush()
    await count(session, *((row.reviewed, Counts(defaults=1)) for row in rows))
    return len(rows)


def person_index(ring: KeyRing, person_id: UUID) -> bytes:
    """The keyed hash by which a person's own invitations and reviews are found, and nobody else's."""
    return ring.blind_index(str(person_id), column="reviewer")

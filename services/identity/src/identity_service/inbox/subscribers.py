"""What happens elsewhere and is told to people here."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.inbox.domain import Template
from identity_service.inbox.handlers import Notice, holders_of, tell
from identity_service.legal_persons import handlers as legal_persons
from service_common.contracts import acceptance, certificates, evaluation, hotline, identity
from service_common.contracts.envelope import CloudEvent, EventT
from service_common.messaging import Subscriber


def _concerned(facts: acceptance.CaseFacts | acceptance.ApplicationSubmitted) -> list[UUID]:
    """Who handed it in, and the applicant: another person when somebody acted for them."""
    natural = facts.applicant_kind is acceptance.HolderKind.NATURAL_PERSON
    return [facts.submitted_by, facts.applicant_id] if natural else [facts.submitted_by]


def _about_case(event: CloudEvent[EventT], facts: acceptance.CaseFacts, template: Template) -> Notice:
    shown = {"item_name": facts.item_name, "project_no": facts.project_no}
    return Notice(event.id, template, "CASE", facts.case_id, shown, event.time)


def _about_ticket(event: CloudEvent[EventT], facts: hotline.TicketFacts, template: Template) -> Notice:
    return Notice(event.id, template, "TICKET", facts.ticket_id, {"ticket_no": facts.ticket_no}, event.time)


async def on_application_submitted(
    session: AsyncSession, event: CloudEvent[acceptance.ApplicationSubmitted]
) -> None:
    """To who submitted it, and the applicant."""
    facts = event.data
    shown = {"number": facts.number, "count": len(facts.item_codes)}
    notice = Notice(
        event.id, Template.APPLICATION_SUBMITTED, "APPLICATION", facts.application_id, shown, event.time
    )
    await tell(session, _concerned(facts), notice)


async def on_case_accepted(session: AsyncSession, event: CloudEvent[acceptance.CaseAccepted]) -> None:
    """To who submitted it, and the applicant."""
    await tell(session, _concerned(event.data), _about_case(event, event.data, Template.CASE_ACCEPTED))


async def on_case_not_accepted(session: AsyncSession, event: CloudEvent[acceptance.CaseNotAccepted]) -> None:
    """To who submitted it, and the applicant."""
    notice = _about_case(event, event.data, Template.CASE_NOT_ACCEPTED)
    await tell(session, _concerned(event.data), notice)


async def on_case_correction_requested(
    session: AsyncSession, event: CloudEvent[acceptance.CaseCorrectionRequested]
) -> None:
    """To who submitted it, and the applicant."""
    notice = _about_case(event, event.data, Template.CASE_CORRECTION_REQUESTED)
    await tell(session, _concerned(event.data), notice)


async def on_case_decided(session: AsyncSession, event: CloudEvent[acceptance.CaseDecided]) -> None:
    """To who submitted it, and the applicant."""
    approved = event.data.outcome is acceptance.Outcome.APPROVED
    template = Template.CASE_APPROVED if approved else Template.CASE_REJECTED
    await tell(session, _concerned(event.data), _about_case(event, event.data, template))


async def on_case_finished(session: AsyncSession, event: CloudEvent[acceptance.CaseFinished]) -> None:
    """To who submitted it, and the applicant."""
    await tell(session, _concerned(event.data), _about_case(event, event.data, Template.CASE_FINISHED))


async def on_licence_issued(session: AsyncSession, event: CloudEvent[certificates.LicenceIssued]) -> None:
    """To the holder; for a legal person to everybody who acts for it."""
    facts = event.data
    notice = Notice(
        event.id,
        Template.LICENCE_ISSUED,
        "LICENCE",
        facts.licence_id,
        {"type_name": facts.type_name},
        event.time,
    )
    holders = await holders_of(session, facts.holder_kind, facts.holder_id, now=event.time)
    await tell(session, holders, notice)


async def on_invitation_created(
    session: AsyncSession, event: CloudEvent[evaluation.InvitationCreated]
) -> None:
    """To the invited person."""
    facts = event.data
    notice = Notice(event.id, Template.REVIEW_INVITED, "INVITATION", facts.invitation_id, {}, event.time)
    await tell(session, [facts.person_id], notice)


async def on_reviewer_informed(session: AsyncSession, event: CloudEvent[evaluation.ReviewerInformed]) -> None:
    """To the reviewer."""
    facts = event.data
    notice = Notice(event.id, Template.REVIEW_ANSWERED, "INVITATION", facts.invitation_id, {}, event.time)
    await tell(session, [facts.person_id], notice)


async def on_ticket_answered(session: AsyncSession, event: CloudEvent[hotline.TicketAnswered]) -> None:
    """To the caller, if the ticket belongs to an account."""
    facts = event.data
    told = [facts.person_id] if facts.person_id else []
    await tell(session, told, _about_ticket(event, facts, Template.TICKET_ANSWERED))


async def on_ticket_closed(session: AsyncSession, event: CloudEvent[hotline.TicketClosed]) -> None:
    """To the caller, if the ticket belongs to an account."""
    facts = event.data
    told = [facts.person_id] if facts.person_id else []
    await tell(session, told, _about_ticket(event, facts, Template.TICKET_CLOSED))


async def on_person_verified(session: AsyncSession, event: CloudEvent[identity.PersonVerified]) -> None:
    """To the person, who may not have been the one at the counter."""
    facts = event.data
    notice = Notice(
        event.id, Template.LEVEL_RAISED, "ACCOUNT", facts.person_id, {"level": facts.level}, event.time
    )
    await tell(session, [facts.person_id], notice)


async def on_level_lowered(session: AsyncSession, event: CloudEvent[identity.PersonLevelLowered]) -> None:
    """To the person."""
    facts = event.data
    notice = Notice(
        event.id, Template.LEVEL_LOWERED, "ACCOUNT", facts.person_id, {"level": facts.level}, event.time
    )
    await tell(session, [facts.person_id], notice)


async def _about_legal_person(
    session: AsyncSession, event: CloudEvent[EventT], legal_person_id: UUID, template: Template
) -> Notice:
    name = (await legal_persons.get_legal_person(session, legal_person_id)).name
    return Notice(event.id, template, "LEGAL_PERSON", legal_person_id, {"name": name}, event.time)


async def on_agent_appointed(session: AsyncSession, event: CloudEvent[identity.AgentAppointed]) -> None:
    """To the agent."""
    facts = event.data
    notice = await _about_legal_person(session, event, facts.legal_person_id, Template.AGENT_APPOINTED)
    await tell(session, [facts.person_id], notice)


async def on_agent_revoked(session: AsyncSession, event: CloudEvent[identity.AgentRevoked]) -> None:
    """To the agent."""
    facts = event.data
    notice = await _about_legal_person(session, event, facts.legal_person_id, Template.AGENT_REVOKED)
    await tell(session, [facts.person_id], notice)


async def on_representative_changed(
    session: AsyncSession, event: CloudEvent[identity.LegalPersonRepresentativeChanged]
) -> None:
    """To both representatives and to everybody who was appointed."""
    facts = event.data
    notice = await _about_legal_person(session, event, facts.legal_person_id, Template.REPRESENTATIVE_CHANGED)
    everybody = await legal_persons.everybody_of(session, facts.legal_person_id, now=event.time)
    await tell(session, [facts.former_id, facts.representative_id, *everybody], notice)


async def on_legal_person_suspended(
    session: AsyncSession, event: CloudEvent[identity.LegalPersonSuspended]
) -> None:
    """To the representative and to everybody who was appointed."""
    facts = event.data
    notice = await _about_legal_person(session, event, facts.legal_person_id, Template.LEGAL_PERSON_SUSPENDED)
    await tell(
        session, await legal_persons.everybody_of(session, facts.legal_person_id, now=event.time), notice
    )


def _about_delegation(
    event: CloudEvent[EventT], facts: identity.DelegationFacts, template: Template
) -> Notice:
    return Notice(event.id, template, "DELEGATION", facts.delegation_id, {}, event.time)


def _agents(facts: identity.DelegationFacts) -> list[UUID]:
    """A person who is asked to act; helpers look at their desk, not into an inbox."""
    return [facts.agent_id] if facts.agent_kind is identity.AgentKind.PERSON else []


async def _principals(
    session: AsyncSession, event: CloudEvent[EventT], facts: identity.DelegationFacts
) -> list[UUID]:
    return list(await holders_of(session, facts.principal_kind, facts.principal_id, now=event.time))


async def on_delegation_granted(session: AsyncSession, event: CloudEvent[identity.DelegationGranted]) -> None:
    """To the agent, who has to accept."""
    notice = _about_delegation(event, event.data, Template.DELEGATION_OFFERED)
    await tell(session, _agents(event.data), notice)


async def on_delegation_accepted(
    session: AsyncSession, event: CloudEvent[identity.DelegationAccepted]
) -> None:
    """To the principal."""
    notice = _about_delegation(event, event.data, Template.DELEGATION_ACCEPTED)
    await tell(session, await _principals(session, event, event.data), notice)


async def on_delegation_revoked(session: AsyncSession, event: CloudEvent[identity.DelegationRevoked]) -> None:
    """To both sides, whoever ended it."""
    notice = _about_delegation(event, event.data, Template.DELEGATION_ENDED)
    await tell(session, [*await _principals(session, event, event.data), *_agents(event.data)], notice)


SUBSCRIBERS: Sequence[Subscriber[Any]] = (
    Subscriber("identity-application-submitted", acceptance.ApplicationSubmitted, on_application_submitted),
    Subscriber("identity-case-accepted", acceptance.CaseAccepted, on_case_accepted),
    Subscriber("identity-case-not-accepted", acceptance.CaseNotAccepted, on_case_not_accepted),
    Subscriber(
        "identity-case-correction-requested", acceptance.CaseCorrectionRequested, on_case_correction_requested
    ),
    Subscriber("identity-case-decided", acceptance.CaseDecided, on_case_decided),
    Subscriber("identity-case-finished", acceptance.CaseFinished, on_case_finished),
    Subscriber("identity-licence-issued", certificates.LicenceIssued, on_licence_issued),
    Subscriber("identity-invitation-created", evaluation.InvitationCreated, on_invitation_created),
    Subscriber("identity-reviewer-informed", evaluation.ReviewerInformed, on_reviewer_informed),
    Subscriber("identity-ticket-answered", hotline.TicketAnswered, on_ticket_answered),
    Subscriber("identity-ticket-closed", hotline.TicketClosed, on_ticket_closed),
    Subscriber("identity-person-verified", identity.PersonVerified, on_person_verified),
    Subscriber("identity-person-level-lowered", identity.PersonLevelLowered, on_level_lowered),
    Subscriber("identity-agent-appointed", identity.AgentAppointed, on_agent_appointed),
    Subscriber("identity-agent-revoked", identity.AgentRevoked, on_agent_revoked),
    Subscriber(
        "identity-representative-changed",
        identity.LegalPersonRepresentativeChanged,
        on_representative_changed,
    ),
    Subscriber("identity-delegation-granted", identity.DelegationGranted, on_delegation_granted),
    Subscriber("identity-delegation-accepted", identity.DelegationAccepted, on_delegation_accepted),
    Subscriber("identity-delegation-revoked", identity.DelegationRevoked, on_delegation_revoked),
    Subscriber("identity-legal-person-suspended", identity.LegalPersonSuspended, on_legal_person_suspended),
)

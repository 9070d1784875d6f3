"""Use cases of the decision: approve or reject by a person, or approve by rule 秒批."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.applications.handlers.progress import holds_valid_licence
from acceptance_service.cases.domain.deadlines import delivery_due
from acceptance_service.cases.domain.rules import (
    DocumentKind,
    NoOpinion,
    OpenTasks,
    Opinion,
    confirms,
    need_impartial,
    need_reasons,
)
from acceptance_service.cases.domain.states import Action, CaseStatus, next_status
from acceptance_service.cases.handlers.intake import Refusal, start_clock
from acceptance_service.cases.handlers.performing import (
    Act,
    claim,
    hold_for_department,
    issue_document,
    need_department,
    perform,
    settle,
)
from acceptance_service.cases.models import Case
from acceptance_service.cases.repository import Dossier, gaps_of_case, hold_dossier, open_tasks
from service_common import timeline
from service_common.auth import Caller
from service_common.contracts.acceptance import CaseDecided, CaseReceived, Outcome
from service_common.crypto import KeyRing
from service_common.etag import check_version
from service_common.work_calendar import current_calendar


@dataclass(frozen=True)
class InstantRule:
    """The licence that the applicant must hold: its type, and the kind of department that must have issued it."""

    type_code: str
    issuer_kind: str


# By the name that an item carries. The name of a type proves nothing: its code and its issuer do.
INSTANT_RULES = {"business_licence_valid": InstantRule("11990000LB0000230M001", issuer_kind="SCJG")}


@dataclass(frozen=True)
class DecisionInput:
    """Approve, or reject with reasons and remedies."""

    outcome: Outcome
    refusal: Refusal


async def decide_case(
    session: AsyncSession,
    ring: KeyRing,
    case_id: UUID,
    decision: DecisionInput,
    *,
    expected_version: int,
    caller: Caller,
    now: datetime,
) -> Case:
    """Decides a case. Where the item asks for four eyes, the first call is an opinion and the second person decides.

    Raises: ReasonsMissing (Art. 38), Stale, OwnApplication, OpenTasks, MaterialsMissing, LicenceLapsed, FourEyes,
    OpinionsDiffer.
    """
    approve = decision.outcome is Outcome.APPROVED
    if not approve:
        need_reasons(decision.refusal.reasons, decision.refusal.remedies)
    dossier = await hold_dossier(session, case_id)
    case = dossier.case
    need_department(case, caller)
    if not case.four_eyes:  # otherwise two people decide, whoever has claimed it
        claim(case, caller)
    check_version(case.version, expected_version)
    need_impartial(caller.subject_id, submitted_by=case.submitted_by, applicant_id=case.applicant_id)
    action = Action.APPROVE if approve else Action.REJECT
    next_status(case.status, action)
    if await open_tasks(session, case.id):
        raise OpenTasks
    if approve:
        (await gaps_of_case(session, dossier.application, case)).need_filled()
    act = Act.of(caller, now, ring)
    if case.four_eyes and not _confirmed(case, approve=approve, by=caller.subject_id):
        case.first_opinion = {"approve": approve, "by": caller.subject_id}
        await session.flush()
        await timeline.append(
            session, case.id, "OPINION", actor=act.actor, at=now, facts={"outcome": decision.outcome.value}
        )
        return case
    await _write_decision(session, dossier, action, decision, act)
    return case


async def withdraw_opinion(session: AsyncSession, case_id: UUID, *, caller: Caller, now: datetime) -> Case:
    """Takes back the first of two opinions, so that the matter can be looked at afresh.

    Once the second person has decided, both opinions stand. Raises: NoSuchCase, NoOpinion.
    """
    dossier = await hold_for_department(session, case_id, caller)
    if dossier.case.outcome is not None or dossier.case.first_opinion is None:
        raise NoOpinion
    dossier.case.first_opinion = None
    await session.flush()
    await timeline.append(session, case_id, "OPINION_WITHDRAWN", actor=caller.actor, at=now)
    return dossier.case


async def decide_by_rule(session: AsyncSession, ring: KeyRing, case_id: UUID, *, now: datetime) -> bool:
    """Instant approval: receives, accepts and approves when the item's rule says yes. Returns whether it did.

    Never refuses: what the rule cannot grant stays in the department's inbox for a person.
    """
    dossier = await hold_dossier(session, case_id)
    case = dossier.case
    rule = INSTANT_RULES.get(case.instant_rule or "")
    if case.status is not CaseStatus.SUBMITTED or case.claimed_by or rule is None:
        return False
    if (await gaps_of_case(session, dossier.application, case)).missing:
        return False
    licence = await holds_valid_licence(
        session, case.applicant_id, rule.type_code, issuer_kind=rule.issuer_kind
    )
    if licence is None:
        return False
    act = Act.by_system(now, ring)
    evidence = {
        "rule": case.instant_rule,
        "licence": licence.identifier,
        "licence_revision": licence.revision,
    }
    case.received_at = now
    receipt = await issue_document(session, case, DocumentKind.RECEIPT, {}, act)
    await perform(
        session, dossier, Action.RECEIVE, act, event=CaseReceived, facts={"document": receipt.number}
    )
    await start_clock(session, dossier, act, accepted_at=now, action=Action.ACCEPT)
    case.instant = True
    decision = DecisionInput(Outcome.APPROVED, Refusal("", ""))
    await _write_decision(session, dossier, Action.APPROVE, decision, act, evidence=evidence)
    return True


async def _write_decision(
    session: AsyncSession,
    dossier: Dossier,
    action: Action,
    decision: DecisionInput,
    act: Act,
    *,
    evidence: Mapping[str, object] | None = None,
) -> None:
    case = dossier.case
    case.outcome = decision.outcome
    case.decided_at = act.now
    case.decided_by = act.actor.id
    case.delivery_due_at = delivery_due(act.now, await current_calendar(session)).due_at
    kind = DocumentKind.APPROVAL if action is Action.APPROVE else DocumentKind.REJECTION
    body = {
        "outcome": decision.outcome.value,
        "reasons": decision.refusal.reasons,
        "remedies": decision.refusal.remedies,
        "evidence": dict(evidence or {}),
    }
    document = await issue_document(session, case, kind, body, act)
    granted = decision.outcome is Outcome.APPROVED
    await perform(
        session,
        dossier,
        action,
        act,
        event=CaseDecided,
        facts={"document": document.number, **(evidence or {})},
        outcome=decision.outcome,
        licence_type_code=case.licence_type_code if granted else None,
        instant=case.instant,
    )
    await settle(session, dossier, act)


def _confirmed(case: Case, *, approve: bool, by: str) -> bool:
    stored = case.first_opinion
    first = Opinion(stored["approve"], stored["by"]) if stored else None
    return confirms(first, approve=approve, by=by)

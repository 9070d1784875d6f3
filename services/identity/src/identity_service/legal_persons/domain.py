"""Legal persons and who acts for them."""

from datetime import datetime
from enum import StrEnum

from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers import OrganisationKind, parse_credit_code
from service_common.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound


class ActsAs(StrEnum):
    """In which capacity somebody acts for a legal person."""

    REPRESENTATIVE = "REPRESENTATIVE"
    ADMINISTRATOR = "ADMINISTRATOR"
    AGENT = "AGENT"


ACTS_AS_LABELS = {
    ActsAs.REPRESENTATIVE: "法定代表人（负责人）",
    ActsAs.ADMINISTRATOR: "管理员",
    ActsAs.AGENT: "经办人",
}


class NoSuchLegalPerson(NotFound):
    """Unknown, or not one that the caller acts for."""

    code = "no_such_legal_person"
    zh = "没有该企业或组织，或您无权查看。"
    en = "There is no such legal person, or you do not act for it."


class NotActingForIt(Conflict):
    """Who stands at a counter acts for no legal person of this credit code, as far as is known here."""

    code = "not_acting_for_it"
    zh = "来访人不是该企业或组织的法定代表人（负责人）、管理员或经办人，请先登记或由其授权。"
    en = "Who is there acts for no legal person of this credit code: register it, or have an agent appointed first."


class NoSuchAgent(NotFound):
    """No appointment of this id."""

    code = "no_such_agent"
    zh = "没有该经办人授权。"
    en = "There is no such appointment."


class AgentNotFound(Invalid):
    """One answer for an unknown phone, another name, and a person who is not verified."""

    code = "agent_not_found"
    zh = "没有找到该姓名和手机号对应的实名用户，请对方先完成实名认证。"
    en = "There is no verified person with this name and phone: ask for the verification first."


class AgentAppointedAlready(Conflict):
    """The appointment runs."""

    code = "agent_appointed_already"
    zh = "该人员已是经办人，可先撤销再重新授权。"
    en = "This person is an agent already: revoke first to change the period."


class AppointmentEnded(Conflict):
    """It was revoked before."""

    code = "appointment_ended"
    zh = "该经办人授权已撤销。"
    en = "This appointment was revoked."


class LegalPersonNotConfirmed(Invalid):
    """The register does not confirm it, or it no longer exists."""

    code = "legal_person_not_confirmed"
    zh = "统一社会信用代码、名称与法定代表人未通过核验。"
    en = "Credit code, name and representative were not confirmed by the register."


class InvalidCreditCode(Invalid):
    """Not a unified social credit code (GB 32100)."""

    code = "invalid_credit_code"
    zh = "统一社会信用代码不正确。"
    en = "The unified social credit code is not valid."


class RepresentativeOnly(Forbidden):
    """Administrators appoint agents; who may administer, the representative alone says."""

    code = "representative_only"
    zh = "只有法定代表人（负责人）可以任免管理员。"
    en = "Only the representative appoints and revokes administrators."


class StillRepresents(Conflict):
    """A legal person cannot be left without a representative here."""

    code = "still_represents"
    zh = "您仍是企业或组织的法定代表人（负责人），请先完成变更。"
    en = "You represent a legal person: another representative has to take over first."


class NotSuspended(Conflict):
    """There is nothing to confirm."""

    code = "not_suspended"
    zh = "该授权未处于暂停状态。"
    en = "This appointment is not suspended."


class InvalidPeriod(Invalid):
    """An appointment that ends before it begins."""

    code = "invalid_period"
    zh = "授权截止时间应晚于当前时间。"
    en = "The appointment must end in the future."


def read_credit_code(text: str) -> tuple[str, OrganisationKind]:
    """The code in upper case and what kind of organisation it tells. Raises: InvalidCreditCode."""
    try:
        code = parse_credit_code(text)
    except InvalidIdentifier as error:
        raise InvalidCreditCode(fields=[FieldProblem("/uscc", error.code, error.zh, error.en)]) from error
    return code.value, code.kind


def check_period(valid_until: datetime | None, *, now: datetime) -> None:
    """Raises: InvalidPeriod."""
    if valid_until is not None and valid_until <= now:
        problem = FieldProblem("/valid_until", "in_the_past", InvalidPeriod.zh, InvalidPeriod.en)
        raise InvalidPeriod(fields=[problem])

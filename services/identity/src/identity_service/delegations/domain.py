"""Delegation 亲友代办 and 帮代办: what can be entrusted, in which words it is agreed, and when it can be used. Pure.

Source: standards §7.4 (principal, agent, scope, actions, period, uses, revocable by both, signed text kept).
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from service_common.clock import SHANGHAI
from service_common.contracts.acceptance import HolderKind
from service_common.contracts.identity import AgentKind
from service_common.delegation import ALL_MATTERS, Act
from service_common.errors import Conflict, FieldProblem, Invalid, NotFound

FRESH_LOGIN_SECONDS = 900
"""Who gives somebody a power has logged in at most this long ago: a phone that was left lying signs nothing."""

LONGEST_PERIOD = timedelta(days=366)
MOST_MATTERS = 50
MOST_USES = 1000

SERVICE_LABELS = {"acceptance": "政务服务事项", "certificates": "电子证照"}
"""Services of which something can be entrusted. Their routes say which acts; those of no other service let an agent in."""

ACT_LABELS = {
    Act.VIEW: "查看办理情况",
    Act.SUBMIT: "填写、提交、补正和撤回申请",
    Act.SIGN: "签署承诺书",
    Act.COLLECT: "领取和出示办理结果",
}
_MATTER = re.compile(r"([a-z]+):(\*|[A-Za-z0-9][A-Za-z0-9._-]{0,79})")


class Standing(StrEnum):
    """How a delegation stands at a moment."""

    OFFERED = "OFFERED"
    ACTIVE = "ACTIVE"
    NOT_YET = "NOT_YET"
    EXPIRED = "EXPIRED"
    USED_UP = "USED_UP"
    REVOKED = "REVOKED"


STANDING_LABELS = {
    Standing.OFFERED: "待受托人接受",
    Standing.ACTIVE: "有效",
    Standing.NOT_YET: "尚未生效",
    Standing.EXPIRED: "已到期",
    Standing.USED_UP: "次数已用完",
    Standing.REVOKED: "已解除",
}


class NoSuchDelegation(NotFound):
    """Unknown, or the caller is neither its principal nor its agent."""

    code = "no_such_delegation"
    zh = "没有该代办授权。"
    en = "There is no such delegation."


class InvalidDelegation(Invalid):
    """Terms that cannot be agreed on."""

    code = "invalid_delegation"
    zh = "代办授权内容不符合要求，请检查 errors 中列出的字段。"
    en = "The terms break a rule: see `errors`."


class AgentNotSuitable(Invalid):
    """One answer for an unknown phone, another name, somebody who is not verified, and the principal."""

    code = "agent_not_found"
    zh = "没有找到符合条件的受托人，请核对姓名和手机号，或帮代办员的工号。"
    en = "There is no suitable agent of this name and phone, or no helper of this user name."


class TextNotAgreed(Conflict):
    """The hash is not that of the text which these terms give: somebody would agree to what they did not read."""

    code = "text_not_agreed"
    zh = "授权书内容已变化，请重新阅读后确认。"
    en = "The text is not the one that was shown: read it again and confirm."


class AcceptedAlready(Conflict):
    """An agent accepts once."""

    code = "delegation_accepted"
    zh = "该代办授权已接受。"
    en = "This delegation was accepted before."


class DelegationOver(Conflict):
    """It was revoked, or its period has ended."""

    code = "delegation_over"
    zh = "该代办授权已解除或已到期。"
    en = "This delegation was revoked or has expired."


@dataclass(frozen=True, slots=True)
class Terms:
    """What somebody entrusts. Without ``valid_from`` it begins when the agent accepts; without ``max_uses`` it may be used
    as often as needed. A use is one sitting of the agent, not one request.
    """

    acts: frozenset[Act]
    matters: frozenset[str]
    valid_until: datetime
    valid_from: datetime | None = None
    max_uses: int | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """One side of it, as the text names it."""

    id: UUID
    name: str


def check_terms(terms: Terms, *, now: datetime) -> None:
    """Raises: InvalidDelegation with every field that breaks a rule."""
    problems = [*_matter_problems(sorted(terms.matters)), *_period_problems(terms, now)]
    if not terms.acts:
        problems.append(_problem("/acts", "acts_missing", "请选择允许的操作。", "Say what the agent may do."))
    if problems:
        raise InvalidDelegation(fields=problems)


def _problem(pointer: str, code: str, zh: str, en: str) -> FieldProblem:
    return FieldProblem(pointer, code, zh, en)


def _matter_problems(matters: Sequence[str]) -> list[FieldProblem]:
    if not matters:
        return [_problem("/matters", "matters_missing", "请选择代办的事项。", "Say what it is about.")]
    found = {one: _MATTER.fullmatch(one) for one in matters}
    wrong = [one for one, match in found.items() if match is None or match[1] not in SERVICE_LABELS]
    return [
        _problem(
            "/matters", "unknown_matter", f"不能委托的事项：{one}。", f"This cannot be entrusted: {one}."
        )
        for one in wrong
    ]


def _period_problems(terms: Terms, now: datetime) -> list[FieldProblem]:
    begins = terms.valid_from or now
    if terms.valid_until <= max(begins, now):
        return [
            _problem(
                "/valid_until", "in_the_past", "截止时间应晚于开始时间。", "It must end after it begins."
            )
        ]
    if terms.valid_until - now > LONGEST_PERIOD:
        return [
            _problem(
                "/valid_until", "too_long", "授权期限不得超过一年。", "It may not last longer than a year."
            )
        ]
    return []


def standing_of(
    terms: Terms, *, uses: int, accepted_at: datetime | None, revoked_at: datetime | None, now: datetime
) -> Standing:
    """How it stands now."""
    if revoked_at is not None:
        return Standing.REVOKED
    if terms.valid_until <= now:
        return Standing.EXPIRED
    if accepted_at is None:
        return Standing.OFFERED
    if terms.valid_from is not None and terms.valid_from > now:
        return Standing.NOT_YET
    if terms.max_uses is not None and uses >= terms.max_uses:
        return Standing.USED_UP
    return Standing.ACTIVE


def agreement(
    principal: Party, principal_kind: HolderKind, agent: Party, kind: AgentKind, terms: Terms
) -> str:
    """The text that both agree to 授权委托书. The same terms give the same text: its hash proves what was read."""
    acts = "；".join(ACT_LABELS[one] for one in Act if one in terms.acts)
    matters = "；".join(_matter_text(one) for one in sorted(terms.matters))
    begins = _day(terms.valid_from) if terms.valid_from else "受托人接受之时"
    uses = f"最多 {terms.max_uses} 次" if terms.max_uses is not None else "不限次数"
    principal_word = "法人或其他组织" if principal_kind is HolderKind.LEGAL_PERSON else "自然人"
    agent_word = "帮代办员" if kind is AgentKind.HELPER else "亲友"
    return "\n".join(
        [
            "授权委托书",
            f"委托人（{principal_word}）：{principal.name}（{principal.id}）",
            f"受托人（{agent_word}）：{agent.name}（{agent.id}）",
            f"委托事项：{matters}",
            f"委托权限：{acts}",
            f"委托期限：自{begins}起至{_day(terms.valid_until)}止，{uses}",
            "受托人在上述权限内办理的事项，由委托人承担责任；办理记录中同时载明委托人和受托人。",
            "委托人和受托人均可随时解除本委托，解除后立即失效。",
        ]
    )


def _matter_text(matter: str) -> str:
    service, code = matter.split(":", 1)
    return f"{SERVICE_LABELS[service]}{'（全部）' if code == ALL_MATTERS else f' {code}'}"


def _day(at: datetime) -> str:
    return at.astimezone(SHANGHAI).strftime("%Y年%m月%d日%H时%M分")


def text_hash(text: str) -> bytes:
    """SHA-256 of the text in UTF-8."""
    return hashlib.sha256(text.encode()).digest()

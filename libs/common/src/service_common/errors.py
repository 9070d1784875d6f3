"""Why a request was refused, in categories. Imports nothing, so that pure rules may raise them.

A slice subclasses a category beside the rule that raises it and gives it a stable ``code`` and a sentence
in Chinese and in English; placeholders are filled from the keyword facts of the raise:

    class ApplicationClosed(Conflict):
        code = "application_closed"
        zh = "申请 {number} 已经办结，不能再修改。"
        en = "Application {number} is finished and cannot be changed."

    raise ApplicationClosed(number=row.number)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One wrong field: where (JSON pointer, RFC 6901), a stable code, and a sentence in both languages."""

    pointer: str
    code: str
    zh: str
    en: str


class DomainError(Exception):
    """A refusal that the caller can understand. Never raised for our own faults."""

    code: ClassVar[str] = "refused"
    zh: ClassVar[str] = "请求未被接受。"
    en: ClassVar[str] = "The request was refused."

    def __init__(self, *, fields: Sequence[FieldProblem] = (), **facts: object) -> None:
        super().__init__(self.en.format(**facts))
        self.fields = tuple(fields)
        self.facts = facts

    def sentence(self, language: str) -> str:
        """The message in ``zh`` or ``en``."""
        return (self.en if language == "en" else self.zh).format(**self.facts)


class Invalid(DomainError):
    """The input is well-formed but breaks a rule. 422."""

    code = "invalid"
    zh = "提交的内容不符合要求。"
    en = "The input breaks a rule."


class Unauthenticated(DomainError):
    """No caller could be established. 401."""

    code = "unauthenticated"
    zh = "请先登录。"
    en = "Sign in first."


class Forbidden(DomainError):
    """The caller is known and may not do this. 403."""

    code = "forbidden"
    zh = "您没有权限进行此操作。"
    en = "You are not allowed to do this."


class NotFound(DomainError):
    """There is no such thing, or the caller may not know that there is. 404."""

    code = "not_found"
    zh = "没有找到。"
    en = "Not found."


class Conflict(DomainError):
    """The state of the thing does not allow it now. 409."""

    code = "conflict"
    zh = "当前状态不允许此操作。"
    en = "The current state does not allow this."


class Stale(DomainError):
    """The caller decided on an older version than the current one (RFC 9110 §13.1.1). 412."""

    code = "stale_version"
    zh = "内容已被他人更新，请刷新后重试。"
    en = "It was changed in the meantime: read it again and retry."


class PreconditionMissing(DomainError):
    """A deciding change came without If-Match (RFC 6585 §3). 428."""

    code = "if_match_required"
    zh = "缺少 If-Match 请求头：请先读取当前版本。"
    en = "The If-Match header is missing: read the current version first."


class TooMany(DomainError):
    """The caller asks too often. 429."""

    code = "too_many_requests"
    zh = "操作过于频繁，请 {retry_after} 秒后再试。"
    en = "Too many requests: retry after {retry_after} seconds."

    def __init__(self, *, retry_after: int) -> None:
        super().__init__(retry_after=retry_after)
        self.retry_after = retry_after


class Unavailable(DomainError):
    """Something we depend on does not answer now; trying again later makes sense. 503."""

    code = "unavailable"
    zh = "服务暂时不可用，请稍后重试。"
    en = "Temporarily unavailable, retry later."

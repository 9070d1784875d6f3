"""Codes that a holder shows 亮证码: one scan, a short life, nothing personal in them. Pure."""

from hashlib import sha256

from service_common.errors import Conflict, Forbidden, NotFound

SCHEME = "lianban-licence:"
TOKEN_BYTES = 32  # 256 bits from the system's generator; 128 would do


class CodeNotValid(NotFound):
    """Unknown, expired, used, ended by log-out: deliberately one answer, so that guessing teaches nothing."""

    code = "code_not_valid"
    zh = "亮证码无效：可能已过期或已被使用，请持证人刷新后重试。"
    en = "The code is not valid: it may have expired or been used. Ask the holder to refresh it."


class CannotPresent(Conflict):
    """Only a licence that holds now can be shown."""

    code = "licence_not_valid"
    zh = "证照当前状态为“{label}”或尚未生效，不能亮证。"
    en = "The licence is {status}, or not in force yet: it cannot be shown."


class NoDepartment(Forbidden):
    """The holder reads who looked: whoever looks belongs to a department."""

    code = "no_department"
    zh = "只有部门工作人员或部门系统可以核验证照信息。"
    en = "Only staff or a system of a department can check a licence with its content."


def code_text(token: str) -> str:
    """What the QR code says."""
    return f"{SCHEME}{token}"


def token_hash(code: str) -> bytes:
    """What is stored of a code: a database that leaks shows nobody's licence."""
    return sha256(code.strip().removeprefix(SCHEME).encode()).digest()

"""Log-in sessions of a browser, and grants: what a subject lets one client do in one sitting."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from service_common.errors import Forbidden, NotFound


class Method(StrEnum):
    """How a subject was authenticated, in the words of RFC 8176."""

    PASSWORD = "pwd"  # noqa: S105 - a word of the standard
    ONE_TIME_CODE = "otp"
    PASSKEY = "pop"
    SEVERAL = "mfa"


def session_end(
    started_at: datetime, last_seen_at: datetime, *, idle: timedelta, longest: timedelta
) -> datetime:
    """When a session ends by itself: after a time without use, at the latest after its longest life."""
    return min(last_seen_at + idle, started_at + longest)


class NoSuchSession(NotFound):
    """Unknown, over, or somebody else's."""

    code = "no_such_session"
    zh = "没有该登录设备，或已退出。"
    en = "There is no such session, or it is over."


class NoAccount(Forbidden):
    """A client has no password, sessions or passkeys."""

    code = "no_account"
    zh = "此操作只能由个人或工作人员账号进行。"
    en = "Only persons and staff have an account to manage."


@dataclass(frozen=True, slots=True)
class Origin:
    """From where somebody logged in, no finer than a person needs to recognise it."""

    device: str
    place: str


# The first that fits counts: Edge and Chrome name Safari as well, and everything names Mozilla.
_PROGRAMS = (
    ("MicroMessenger", "微信"),
    ("AlipayClient", "支付宝"),
    ("HuaweiBrowser", "华为浏览器"),
    ("MiuiBrowser", "小米浏览器"),
    ("QQBrowser", "QQ浏览器"),
    ("UCBrowser", "UC浏览器"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("OpenHarmony", "鸿蒙"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)
UNKNOWN = "未知"


def device_of(user_agent: str) -> str:
    """``Chrome · Windows``: what a person recognises, not a fingerprint."""
    program = next((name for mark, name in _PROGRAMS if mark in user_agent), None)
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return " · ".join(part for part in (program, system) if part) or UNKNOWN


def recognisable(device: str | None, apps: Sequence[str]) -> str | None:
    """What a person knows a device by: program and system, else the applications on it. None when there is neither."""
    if device and device != UNKNOWN:
        return device
    return " · ".join(dict.fromkeys(apps)) or None


def place_of(address: str) -> str:
    """The network an address is of: ``203.0.113.*``; of IPv6 the first 48 bits. Never the whole address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return UNKNOWN
    if isinstance(parsed, ipaddress.IPv4Address):
        return ".".join([*str(parsed).split(".")[:3], "*"])
    return str(ipaddress.ip_network((int(parsed), 48), strict=False))


FRESH_FOR = timedelta(minutes=15)
"""Who adds a way to enter an account, or takes all its data away, has logged in not longer ago than this."""


class LogInAgain(Forbidden):
    """An open screen must become neither a second key to the account nor a copy of it."""

    code = "log_in_again"
    zh = "为保护账号安全，请重新登录后再操作。"
    en = "Log in again first: this asks for a log-in of the last minutes."


def is_fresh(authenticated_at: datetime, *, is_let_in: bool, now: datetime) -> bool:
    """Where somebody was let in by scanning nobody has authenticated, however short ago it was elsewhere."""
    return not is_let_in and now - authenticated_at <= FRESH_FOR


def check_fresh(authenticated_at: datetime, *, is_let_in: bool, now: datetime) -> None:
    """Raises: LogInAgain."""
    if not is_fresh(authenticated_at, is_let_in=is_let_in, now=now):
        raise LogInAgain


class LetInOnly(Forbidden):
    """Who was let in by scanning lets nobody in: a chain of scans would hide who sits at the keyboard."""

    code = "let_in_by_scanning"
    zh = "本设备是通过扫码登录的，不能再为其他设备确认登录。请使用手机应用，或在本设备用密码、通行密钥登录后再操作。"
    en = (
        "This device was itself let in by scanning and cannot let others in: use the mobile app, or log in here with a password "
        "or a passkey first."
    )

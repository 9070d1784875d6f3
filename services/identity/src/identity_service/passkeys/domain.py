"""Passkeys (WebAuthn level 2): what can be wrong with them, and how long a challenge lives."""

from datetime import datetime, timedelta
from enum import StrEnum

from service_common.errors import Conflict, Forbidden, Invalid, NotFound

CHALLENGE_LIFE = timedelta(minutes=5)
MOST_PASSKEYS = 20
FRESH_FOR = timedelta(minutes=15)
"""Who adds a way to enter an account has logged in not longer ago than this."""


class Ceremony(StrEnum):
    """What a challenge is for. One for another ceremony does not do."""

    REGISTER = "REGISTER"
    LOG_IN = "LOG_IN"


class PasskeyRefused(Invalid):
    """One answer for an unknown key, a wrong signature, a used challenge, another origin, a cloned authenticator."""

    code = "passkey_refused"
    zh = "通行密钥验证未通过，请重试或使用其他方式登录。"
    en = "The passkey was not accepted: try again, or log in another way."


class PasskeyKnown(Conflict):
    """An authenticator is registered once."""

    code = "passkey_known"
    zh = "该通行密钥已登记。"
    en = "This passkey is registered already."


class TooManyPasskeys(Conflict):
    """Nobody has that many devices."""

    code = "too_many_passkeys"
    zh = "通行密钥数量已达上限，请先移除不用的。"
    en = "There are too many passkeys: remove one first."


class NoSuchPasskey(NotFound):
    """Unknown, or of another account."""

    code = "no_such_passkey"
    zh = "没有该通行密钥。"
    en = "There is no such passkey."


class LogInAgain(Forbidden):
    """An open screen must not become a second key to the account."""

    code = "log_in_again"
    zh = "为保护账号安全，请重新登录后再操作。"
    en = "Log in again first: this asks for a log-in of the last minutes."


def check_fresh(authenticated_at: datetime | None, *, now: datetime) -> None:
    """Raises: LogInAgain."""
    if authenticated_at is None or now - authenticated_at > FRESH_FOR:
        raise LogInAgain

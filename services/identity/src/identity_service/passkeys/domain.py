"""Passkeys (WebAuthn level 2): what can be wrong with them, and how long a challenge lives."""

from datetime import timedelta
from enum import StrEnum

from service_common.errors import Conflict, Invalid, NotFound

CHALLENGE_LIFE = timedelta(minutes=5)
MOST_PASSKEYS = 20


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

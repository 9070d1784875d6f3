"""An interaction: what happens in the browser between a client's request and its answer."""

import secrets
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from service_common.errors import Forbidden, Invalid

SCAN_LIFE = timedelta(minutes=3)
"""How long a browser waits for somebody to approve: long enough to take out a phone, too short to be passed around."""

_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
_FRESH_PROMPTS = frozenset({"login", "select_account"})


class ScanStatus(StrEnum):
    """How far a browser is that waits to be let in. ``USED``: it was logged in, once."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    DENIED = "DENIED"
    USED = "USED"


def new_scan_code() -> str:
    """As the user code of a device: eight consonants, no words, no look-alikes (RFC 8628 §6.1)."""
    letters = "".join(secrets.choice(_CODE_LETTERS) for _ in range(8))
    return f"{letters[:4]}-{letters[4:]}"


def asks_for_fresh_login(parameters: Mapping[str, str]) -> bool:
    """Whether an authorization request wants somebody to authenticate now (OpenID Connect Core §3.1.2.1)."""
    prompts = frozenset(parameters.get("prompt", "").split())
    return bool(prompts & _FRESH_PROMPTS) or "max_age" in parameters


class ScanNotOffered(Forbidden):
    """The application wants a fresh log-in: approving from a log-in of long ago is none."""

    code = "scan_not_offered"
    zh = "该应用要求重新验证身份，请使用密码或通行密钥登录。"
    en = "The application asks for a fresh log-in: use your password or a passkey."


class InteractionGone(Invalid):
    """Unknown, of another browser, finished, or too old. Nothing tells which."""

    code = "interaction_gone"
    zh = "本次登录已失效或已完成，请返回应用重新发起。"
    en = "This log-in is over or no longer valid: begin again in the application."


class FormNotOurs(Invalid):
    """The form was not shown to this browser (cross-site request forgery), or cookies are switched off."""

    code = "form_not_ours"
    zh = "页面已失效，请刷新后重试；浏览器需允许使用 Cookie。"
    en = "This page is no longer valid: reload it. Cookies must be allowed."

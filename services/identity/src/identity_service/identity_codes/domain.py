"""Identity code 身份码 and enterprise code 企业码: shown on a screen, good once and for one minute (standards §7.5)."""

import secrets
from datetime import timedelta
from enum import StrEnum

from service_common.errors import Invalid

CODE_LIFE = timedelta(minutes=1)
TOKEN_TYPE = "identity-code+jwt"  # noqa: S105 - a media type
_RANDOM_BYTES = 18  # 144 bits; the standard asks for 128


class CodeKind(StrEnum):
    """Whose code it is."""

    PERSON = "PERSON"
    LEGAL_PERSON = "LEGAL_PERSON"


KIND_LABELS = {CodeKind.PERSON: "身份码", CodeKind.LEGAL_PERSON: "企业码"}


class CodeNotValid(Invalid):
    """One answer for a foreign, expired, used or invented code, and for somebody who may no longer show it."""

    code = "code_not_valid"
    zh = "该码无效、已使用或已过期，请刷新后重新出示。"
    en = "The code is not valid, was used, or has expired: show a fresh one."


def new_code_id() -> str:
    """Random; nothing of the person is in it."""
    return secrets.token_urlsafe(_RANDOM_BYTES)

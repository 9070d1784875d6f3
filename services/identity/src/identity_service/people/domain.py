"""Natural persons: trust levels and how they are reached, phone numbers, sign-up codes."""

import re
import secrets
from datetime import date, timedelta
from enum import StrEnum

from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers import IdentityNumber, parse_identity_number
from identity_service.accounts.domain import Throttle
from service_common.errors import Conflict, FieldProblem, Invalid, NotFound

TRUST_LEVELS = {
    1: "一级：账号与手机号",
    2: "二级：实名（姓名与证件号码经权威库核验）",
    3: "三级：实人",
    4: "四级：实证",
}


class VerificationMethod(StrEnum):
    """How a level was reached."""

    REAL_NAME = "REAL_NAME"


LEVEL_REACHED = {VerificationMethod.REAL_NAME: 2}


class CodePurpose(StrEnum):
    """What a code on the phone is for. One for another purpose does not do."""

    SIGN_UP = "SIGN_UP"
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 - no password


class NoSuchPerson(NotFound):
    """The id is of no person."""

    code = "no_such_person"
    zh = "没有该用户。"
    en = "There is no such person."


class InvalidPhone(Invalid):
    """Not a mobile number of the mainland."""

    code = "invalid_phone"
    zh = "请填写 11 位手机号码。"
    en = "Give a mobile number of eleven digits."


class InvalidIdentityNumber(Invalid):
    """Not an identity number (GB 11643)."""

    code = "invalid_identity_number"
    zh = "身份证件号码不正确。"
    en = "The identity number is not valid."


class WrongPhoneCode(Invalid):
    """Wrong, expired, used, or tried too often."""

    code = "wrong_phone_code"
    zh = "验证码不正确或已失效，请重新获取。"
    en = "The code is wrong or no longer valid: ask for a new one."


class PhoneTaken(Conflict):
    """Told only to who has shown a code that was sent to the phone."""

    code = "phone_taken"
    zh = "该手机号已注册，请直接登录。"
    en = "This phone number has an account: sign in."


class IdentityTaken(Conflict):
    """Another account is verified for this identity. Told only after the register confirmed name and number."""

    code = "identity_taken"
    zh = "该身份已实名绑定其他账号，请使用原账号登录或到窗口办理。"
    en = "Another account is verified for this identity: use that one, or ask at a counter."


class VerifiedOtherwise(Conflict):
    """A verified account stays one person's."""

    code = "verified_otherwise"
    zh = "该账号已实名为其他身份，不能更改。"
    en = "This account is verified for another identity."


class IdentityNotConfirmed(Invalid):
    """The register does not confirm it. One answer for a wrong name and for an unknown number."""

    code = "identity_not_confirmed"
    zh = "姓名与证件号码未通过核验，请核对后重试。"
    en = "Name and identity number were not confirmed: check them and try again."


_PHONE = re.compile(r"1[3-9]\d{9}")
CODE_LIFE = timedelta(minutes=5)
CODE_TRIES = 5

CODE_PER_PHONE = Throttle("phone-code", 1, timedelta(seconds=60), timedelta(minutes=30), timedelta(hours=12))
CODE_PER_ADDRESS = Throttle(
    "phone-code-address", 60, timedelta(seconds=5), timedelta(minutes=10), timedelta(hours=1)
)
# Name and number pairs must not be found out by trying: few a day, and the register is spared.
REAL_NAME_PER_PERSON = Throttle("real-name", 3, timedelta(minutes=1), timedelta(hours=2), timedelta(hours=24))


def normal_phone(text: str) -> str:
    """Eleven digits. Raises: InvalidPhone."""
    value = re.sub(r"^(?:\+|00)86|[\s-]", "", text.strip())
    if not _PHONE.fullmatch(value):
        raise InvalidPhone
    return value


def looks_like_phone(text: str) -> bool:
    """Whether somebody logs in by phone number."""
    return bool(_PHONE.fullmatch(re.sub(r"^(?:\+|00)86|[\s-]", "", text.strip())))


def new_code() -> str:
    """Six digits."""
    return f"{secrets.randbelow(1_000_000):06d}"


def read_identity_number(text: str, *, today: date, allow_fixtures: bool) -> IdentityNumber:
    """A valid number. Raises: InvalidIdentityNumber."""
    try:
        return parse_identity_number(text, on=today, allow_fixture_prefix=allow_fixtures)
    except InvalidIdentifier as error:
        problem = FieldProblem("/id_number", error.code, error.zh, error.en)
        raise InvalidIdentityNumber(fields=[problem]) from error


def normal_name(text: str) -> str:
    """A name as registers write it: no outer spaces, one middle dot."""
    return re.sub(r"[•・．]", "·", text.strip())

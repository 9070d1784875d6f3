"""Natural persons: trust levels and how they are reached, phone numbers, sign-up codes."""

import re
import secrets
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers import parse_identity_number
from identity_service.accounts.domain import Throttle
from service_common.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound

TRUST_LEVELS = {
    1: "一级：账号与手机号",
    2: "二级：实名（姓名与证件号码经权威库核验）",
    3: "三级：实人",
    4: "四级：实证",
}


class VerificationMethod(StrEnum):
    """How a level was reached."""

    REAL_NAME = "REAL_NAME"
    FACE = "FACE"
    NETWORK_IDENTITY = "NETWORK_IDENTITY"
    COUNTER = "COUNTER"


LEVEL_REACHED = {
    VerificationMethod.REAL_NAME: 2,
    VerificationMethod.FACE: 3,
    VerificationMethod.NETWORK_IDENTITY: 3,
    VerificationMethod.COUNTER: 4,
}
METHOD_LABELS = {
    VerificationMethod.REAL_NAME: "姓名与证件号码核验",
    VerificationMethod.FACE: "人脸比对",
    VerificationMethod.NETWORK_IDENTITY: "国家网络身份认证（网证）",
    VerificationMethod.COUNTER: "窗口现场核验",
}
LOWEST_LEVEL = 1


class DocumentKind(StrEnum):
    """By which document a person is known (standards §1.1). Those with an 18-character number tell the kind by it."""

    RESIDENT = "RESIDENT"
    FOREIGN_PERMANENT_RESIDENT = "FOREIGN_PERMANENT_RESIDENT"
    HONG_KONG_RESIDENT = "HONG_KONG_RESIDENT"
    MACAO_RESIDENT = "MACAO_RESIDENT"
    TAIWAN_RESIDENT = "TAIWAN_RESIDENT"
    PASSPORT = "PASSPORT"
    HONG_KONG_MACAO_PERMIT = "HONG_KONG_MACAO_PERMIT"
    TAIWAN_PERMIT = "TAIWAN_PERMIT"


DOCUMENT_LABELS = {
    DocumentKind.RESIDENT: "居民身份证",
    DocumentKind.FOREIGN_PERMANENT_RESIDENT: "外国人永久居留身份证",
    DocumentKind.HONG_KONG_RESIDENT: "港澳台居民居住证（香港）",
    DocumentKind.MACAO_RESIDENT: "港澳台居民居住证（澳门）",
    DocumentKind.TAIWAN_RESIDENT: "港澳台居民居住证（台湾）",
    DocumentKind.PASSPORT: "护照",
    DocumentKind.HONG_KONG_MACAO_PERMIT: "港澳居民来往内地通行证",
    DocumentKind.TAIWAN_PERMIT: "台湾居民来往大陆通行证",
}
_COUNTRY_OF = {
    DocumentKind.HONG_KONG_MACAO_PERMIT: frozenset({"HKG", "MAC"}),
    DocumentKind.TAIWAN_PERMIT: frozenset({"TWN"}),
}
_BY_NUMBER = frozenset(
    {
        DocumentKind.RESIDENT,
        DocumentKind.FOREIGN_PERMANENT_RESIDENT,
        DocumentKind.HONG_KONG_RESIDENT,
        DocumentKind.MACAO_RESIDENT,
        DocumentKind.TAIWAN_RESIDENT,
    }
)
_TRAVEL_NUMBER = re.compile(r"[0-9A-Z]{5,20}")
_COUNTRY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Document:
    """What a person is known by. ``country`` issued a travel document (ISO 3166 alpha-3). Its repr shows nothing."""

    kind: DocumentKind
    number: str = field(repr=False)
    birth_date: date = field(repr=False)
    country: str | None = None

    @property
    def has_identity_number(self) -> bool:
        """Whether the number is one of GB 11643, which nobody else has; others are unique within their kind alone."""
        return self.country is None

    @property
    def unique_text(self) -> str:
        return self.number if self.country is None else f"{self.kind}\x00{self.country}\x00{self.number}"


class CodePurpose(StrEnum):
    """What a code on the phone is for. One for another purpose does not do."""

    SIGN_UP = "SIGN_UP"
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 - no password
    PHONE_CHANGE = "PHONE_CHANGE"


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


class InvalidDocument(Invalid):
    """Kind, number, issuing country and birth date do not make a document."""

    code = "invalid_document"
    zh = "证件类型、号码、签发国家（地区）或出生日期不正确。"
    en = "Kind, number, issuing country and birth date do not fit together."


class WrongPhoneCode(Invalid):
    """Wrong, expired, used, or tried too often."""

    code = "wrong_phone_code"
    zh = "验证码不正确或已失效，请重新获取。"
    en = "The code is wrong or no longer valid: ask for a new one."


class RealNameFirst(Conflict):
    """A face belongs to a name and a number that are known."""

    code = "real_name_first"
    zh = "请先完成实名认证（姓名与证件号码）。"
    en = "Verify your name and identity number first."


class NotConfirmed(Invalid):
    """The authority says that it is not this person, or does not know."""

    code = "not_confirmed"
    zh = "核验未通过，请重试或到政务服务窗口办理。"
    en = "It was not confirmed: try again, or go to a counter."


class WithGuardianOnly(Forbidden):
    """Under fourteen, the guardian does it (standards §7.3; Personal Information Protection Law art. 31)."""

    code = "with_guardian_only"
    zh = "未满十四周岁的未成年人须由监护人登记和办理。"
    en = "For children under fourteen the guardian registers and acts."


class NotAMinor(Invalid):
    """Eighteen and over, nobody has a guardian by age (Civil Code art. 17)."""

    code = "not_a_minor"
    zh = "该人员已满十八周岁。"
    en = "This person is eighteen or older."


class GuardianNotConfirmed(Invalid):
    """The register does not name this guardian; a counter can look at papers."""

    code = "guardian_not_confirmed"
    zh = "未能核实监护关系，请携带户口簿或出生医学证明到窗口办理。"
    en = "The register does not confirm the guardianship: bring the household register or birth certificate to a counter."


class NoSuchGuardianship(NotFound):
    """Unknown, or of others."""

    code = "no_such_guardianship"
    zh = "没有该监护关系。"
    en = "There is no such guardianship."


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
# Whether a name and a phone belong together must not be found out by trying either, on the way to entrusting somebody.
SOUGHT_BY_ONE = Throttle("sought", 20, timedelta(seconds=10), timedelta(minutes=10), timedelta(hours=12))
# Name and number pairs must not be found out by trying: few a day, and the register is spared.
FACE_PER_PERSON = Throttle("face", 5, timedelta(seconds=30), timedelta(hours=1), timedelta(hours=24))
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


@dataclass(frozen=True, slots=True)
class DocumentClaim:
    """A document as somebody types it: the rest is needed of a travel document alone. Its repr shows nothing."""

    number: str = field(repr=False)
    kind: DocumentKind | None = None
    country: str | None = None
    birth_date: date | None = field(default=None, repr=False)


def read_document(claim: DocumentClaim, *, today: date, allow_fixtures: bool) -> Document:
    """A valid document. Raises: InvalidIdentityNumber, InvalidDocument."""
    if claim.kind in (None, *_BY_NUMBER):
        found = _read_identity_number(claim.number, today=today, allow_fixtures=allow_fixtures)
        if claim.kind not in (None, found.kind):
            raise InvalidDocument
        return found
    number, country = claim.number.strip().upper(), (claim.country or "").strip().upper()
    if claim.kind is None or not _TRAVEL_NUMBER.fullmatch(number) or not _COUNTRY.fullmatch(country):
        raise InvalidDocument
    if country not in _COUNTRY_OF.get(claim.kind, {country}):
        raise InvalidDocument
    if claim.birth_date is None or claim.birth_date > today:
        raise InvalidDocument
    return Document(claim.kind, number, claim.birth_date, country)


def _read_identity_number(text: str, *, today: date, allow_fixtures: bool) -> Document:
    try:
        number = parse_identity_number(text, on=today, allow_fixture_prefix=allow_fixtures)
    except InvalidIdentifier as error:
        problem = FieldProblem("/id_number", error.code, error.zh, error.en)
        raise InvalidIdentityNumber(fields=[problem]) from error
    return Document(DocumentKind(number.kind), number.value, number.birth_date)


_GUARDIAN_ACTS_UNTIL = 14
_OF_AGE = 18


def age_on(birth_date: date, day: date) -> int:
    """Full years; who is born on 29 February becomes older on 1 March."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def comes_of_age(birth_date: date) -> date:
    """The day from which nobody has a guardian by age: the eighteenth birthday (Civil Code art. 17)."""
    return birthday(birth_date, _OF_AGE)


def birthday(birth_date: date, years: int) -> date:
    """The birthday of that many years."""
    try:
        return birth_date.replace(year=birth_date.year + years)
    except ValueError:  # 29 February
        return date(birth_date.year + years, 3, 1)


def check_old_enough(birth_date: date, *, today: date) -> None:
    """Whether somebody may verify alone. Raises: WithGuardianOnly, for children under fourteen."""
    if age_on(birth_date, today) < _GUARDIAN_ACTS_UNTIL:
        raise WithGuardianOnly


def check_minor(birth_date: date, *, today: date) -> None:
    """Raises: NotAMinor."""
    if age_on(birth_date, today) >= _OF_AGE:
        raise NotAMinor


def normal_name(text: str) -> str:
    """A name as registers write it: no outer spaces, one middle dot."""
    return re.sub(r"[•・．]", "·", text.strip())

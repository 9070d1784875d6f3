"""Rules of the OpenID provider that need neither database nor HTTP."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from identity_service.accounts.domain import SubjectKind, Throttle
from service_common.errors import Forbidden, NotFound

ASSERTION_ALGORITHMS = ["ES256", "Ed25519", "EdDSA", "PS256", "RS256"]
"""With which clients may sign. Named one by one: `none` and shared-key algorithms are not among them."""

HIGH_TRUST_ALGORITHMS = ["ES256", "Ed25519", "EdDSA", "PS256"]
"""With which clients of high trust may (FAPI 2.0 Security Profile §5.4.1)."""

STAFF_LEVEL = 3
"""Trust level of staff: the department vouches for the person, password and second factor for the log-in."""


class DeviceStatus(StrEnum):
    """How far a device authorization is (RFC 8628). ``USED``: its tokens were given out, once."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    DENIED = "DENIED"
    USED = "USED"


class WaitingKind(StrEnum):
    """What waits with a user code to be let in: a client on a device, or a browser at the log-in page."""

    DEVICE = "DEVICE"
    BROWSER = "BROWSER"


class NoticeStatus(StrEnum):
    """How far a client was told of a logout. ``FAILED``: every try is used up."""

    PENDING = "PENDING"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


class NoSuchDevice(NotFound):
    """The user code is unknown, has expired, or was decided about. Nothing tells which."""

    code = "no_such_device_authorization"
    zh = "设备码不正确或已失效，请核对设备上显示的代码，或在设备上重新获取。"
    en = "The code is wrong or no longer valid: compare it with the device, or get a new one there."


class NothingToAllow(Forbidden):
    """The device asks for what this person may not do at all."""

    code = "nothing_to_allow"
    zh = "该设备请求的权限不适用于您的账号。"
    en = "The device asks for nothing that your account may do."


USER_CODES_OF_SUBJECT = Throttle(
    "user-code-subject", 10, timedelta(seconds=2), timedelta(seconds=60), timedelta(minutes=15)
)
"""Of one person: twenty-five thousand million codes are not found at this speed (RFC 8628 §5.1)."""
USER_CODES_OF_ADDRESS = Throttle(
    "user-code-address", 100, timedelta(seconds=2), timedelta(minutes=5), timedelta(minutes=15)
)

_USER_CODE = re.compile(r"[BCDFGHJKLMNPQRSTVWXZ]{8}")


def normal_user_code(typed: str) -> str | None:
    """A user code as it was given out, however it was typed: small letters, without the hyphen, with spaces (RFC 8628 §6.1)."""
    letters = re.sub(r"[\s-]", "", typed).upper()
    return f"{letters[:4]}-{letters[4:]}" if _USER_CODE.fullmatch(letters) else None


# After the first try, about eleven hours: by then the sessions that it is about are over anyway.
_NOTICE_DELAYS = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=30),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
)
# Clients that failed together must not be called again together.
_NOTICE_JITTER = 0.1


def next_notice(
    tries: int, *, now: datetime, chance: float, retry_after: timedelta | None = None
) -> datetime | None:
    """When to tell a client again after ``tries`` failures, or None when it is given up. ``chance`` is drawn from 0 to 1."""
    if tries > len(_NOTICE_DELAYS):
        return None
    delay = _NOTICE_DELAYS[tries - 1] * (1 + _NOTICE_JITTER * (2 * chance - 1))
    return now + max(delay, min(retry_after or delay, _NOTICE_DELAYS[-1]))


HIGHEST_LEVEL = 4
_LEVEL = "urn:lianban:loa:"
LEVELS = [f"{_LEVEL}{level}" for level in range(1, HIGHEST_LEVEL + 1)]
"""What ``acr`` can say, lowest first."""

PROMPTS = frozenset({"none", "login", "consent", "select_account"})
"""What a request can say about pages (OpenID Connect Core §3.1.2.1); any other word asks for what we cannot do."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Subject:
    """Who a token speaks of, as things stand when it is made."""

    id: UUID
    kind: SubjectKind
    roles: frozenset[str]
    trust_level: int
    represents: tuple[UUID, ...] = ()
    department_id: UUID | None = None
    division: str | None = None

    @property
    def acr(self) -> str:
        return f"{_LEVEL}{self.trust_level}"

    def acr_among(self, asked: Collection[str] | None) -> str:
        """The level in the words of a request that must have one of these: the highest of them that the person has."""
        reached = [one for one in LEVELS[: self.trust_level] if one in (asked or ())]
        return reached[-1] if reached else self.acr

    def can_be_verified_to(self, level: int) -> bool:
        """Whether there is a way to this level: for persons; staff are vouched for by their department."""
        return self.kind is SubjectKind.PERSON and level <= HIGHEST_LEVEL


def asked_level(acr_values: str | None) -> int | None:
    """The least of the trust levels that a request would do with; none when it asks for none.

    Who asks only for what we do not know asks for more than there is: an access token with less would help nobody (RFC 9470 §5).
    """
    if acr_values is None:
        return None
    known = [int(value.removeprefix(_LEVEL)) for value in acr_values.split() if value in LEVELS]
    return min(known, default=HIGHEST_LEVEL + 1)


@dataclass(frozen=True, slots=True)
class Freshness:
    """What a request asks of the log-in: anew, or not older than so many seconds."""

    again: bool
    max_age: int | None

    @classmethod
    def asked_by(cls, parameters: Mapping[str, str]) -> "Freshness":
        """Raises: ValueError for a max_age that is no number of seconds."""
        prompts = parameters.get("prompt", "").split()
        text = parameters.get("max_age")
        max_age = int(text) if text is not None else None
        if max_age is not None and max_age < 0:
            raise ValueError("max_age")
        return cls("login" in prompts or "select_account" in prompts, max_age)

    def satisfied_by(self, authenticated_at: datetime, *, in_this_interaction: bool, now: datetime) -> bool:
        """A log-in made for this very request always will do (OpenID Connect Core §3.1.2.1)."""
        if in_this_interaction:
            return True
        if self.again:
            return False
        return self.max_age is None or (now - authenticated_at).total_seconds() <= self.max_age


def has_control_characters(values: Collection[str]) -> bool:
    """No parameter of OAuth has any (RFC 6749 App. A), and PostgreSQL takes no NUL."""
    return any(_CONTROL.search(value) for value in values)

"""How a subject proves who it is: user names, passwords, one-time codes, and how often one may try."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from service_common.errors import Conflict, FieldProblem, Invalid, Unauthenticated, Unavailable


class SubjectKind(StrEnum):
    """Who stands behind an account."""

    PERSON = "PERSON"
    STAFF = "STAFF"


class UsernameTaken(Conflict):
    """User names are unique among persons and staff together."""

    code = "username_taken"
    zh = "该用户名已被使用，请换一个。"
    en = "This user name is taken: choose another one."


class UsernameUnsuitable(Invalid):
    """Not a name that people can type everywhere."""

    code = "username_unsuitable"
    zh = "用户名应为 3 至 40 位的字母、数字、点、下划线或连字符，以字母开头。"
    en = "A user name has 3 to 40 letters, digits, dots, underscores or hyphens and begins with a letter."


class PasswordUnsuitable(Invalid):
    """Too short, too long, or one that attackers try first (NIST SP 800-63B §5.1.1.2)."""

    code = "password_unsuitable"
    zh = "{reason_zh}"
    en = "{reason_en}"

    def __init__(self, *, zh: str, en: str) -> None:
        problem = FieldProblem("/password", "password_unsuitable", zh, en)
        super().__init__(fields=[problem], reason_zh=zh, reason_en=en)


class WrongCredentials(Unauthenticated):
    """One answer for an unknown account, a wrong password and a closed account."""

    code = "wrong_credentials"
    zh = "用户名或密码不正确。"
    en = "The user name or the password is wrong."


class CredentialsChanged(Unauthenticated):
    """Password or second factor were replaced while somebody was logging in with the ones before."""

    code = "credentials_changed"
    zh = "登录过程中密码或动态口令已被更改，请重新登录。"
    en = "The password or the second factor was changed meanwhile: log in again."


class HashingBusy(Unavailable):
    """More passwords are being checked than this process has time for: refused before anything is counted or looked up."""

    code = "log_in_busy"
    zh = "当前登录人数较多，请稍等几秒后重试。"
    en = "Too many people are logging in right now: try again in a few seconds."


class WrongSecondFactor(Unauthenticated):
    """The one-time code is wrong, too old, or was used already."""

    code = "wrong_second_factor"
    zh = "动态口令不正确或已使用过，请等待下一个口令。"
    en = "The one-time code is wrong or was used: wait for the next one."


_USERNAME = re.compile(r"[a-z][a-z0-9._-]{2,39}")
_PASSWORD_LENGTHS = (10, 128)
_TAIL = re.compile(r"[\W\d_]+$")
_SHORT_PART = 6
_SERVICE_NAMES = ("lianban", "联办")


def normal_username(text: str) -> str:
    """The form in which user names are compared. Raises: UsernameUnsuitable."""
    value = text.strip().lower()
    if not _USERNAME.fullmatch(value):
        raise UsernameUnsuitable
    return value


def normal_password(text: str) -> str:
    """One form for what keyboards write in several: full width, composed or not (NFKC; NIST SP 800-63B §5.1.1.2)."""
    return unicodedata.normalize("NFKC", text)


def check_password(password: str, *, username: str, is_listed: Callable[[str], bool]) -> None:
    """Length, and not guessable; no rules of composition (NIST SP 800-63B §5.1.1.2).

    ``is_listed`` tells whether a word is among the leaked passwords. Raises: PasswordUnsuitable.
    """
    shortest, longest = _PASSWORD_LENGTHS
    chosen = normal_password(password)
    if not shortest <= len(chosen) <= longest:
        raise PasswordUnsuitable(
            zh=f"密码应为 {shortest} 至 {longest} 位。",
            en=f"A password has {shortest} to {longest} characters.",
        )
    folded = chosen.casefold()
    if any(word in folded for word in (username, *_SERVICE_NAMES)):
        raise PasswordUnsuitable(
            zh="密码不能包含用户名或平台名称，请换一个。",
            en="This password holds the user name or the platform's: choose another one.",
        )
    if _is_regular(folded) or _is_common(folded, is_listed):
        raise PasswordUnsuitable(
            zh="该密码过于常见或有规律，曾出现在泄露名单中或容易被猜到，请换一个。",
            en="This password is too common or too regular, and easily guessed: choose another one.",
        )


def same_password() -> PasswordUnsuitable:
    """A new password that is the old one."""
    return PasswordUnsuitable(
        zh="新密码不能与原密码相同，请换一个。",
        en="This is the password that you have now: choose another one.",
    )


def _is_regular(word: str) -> bool:
    """Few different characters, a short unit over and over, or characters that count up or down."""
    if len(set(word)) < 4:
        return True
    if any(word == (word[:size] * len(word))[: len(word)] for size in range(1, 5)):
        return True
    return len({ord(after) - ord(before) for before, after in pairwise(word)}) == 1


def _is_common(word: str, is_listed: Callable[[str], bool]) -> bool:
    """Listed as it is, or a listed word with nothing but digits and marks after it that are short or listed as well."""
    if is_listed(word):
        return True
    tail = _TAIL.search(word)
    stem, rest = (word[: tail.start()], tail.group()) if tail else (word, "")
    return bool(rest) and is_listed(stem) and (len(rest) <= _SHORT_PART or is_listed(rest))


@dataclass(frozen=True, slots=True)
class Tally:
    """What a throttle remembers of somebody: attempts that still count, when the last one was, what has to be waited for.

    ``drained_at``: up to then attempts were forgotten for the time that went by.
    """

    count: int
    drained_at: datetime
    last_at: datetime
    waits_until: datetime

    @classmethod
    def empty(cls, now: datetime) -> "Tally":
        return cls(0, now, now, now)

    def without_last(self, at: datetime) -> "Tally":
        """An attempt made ``at`` is taken back, with its wait; those of others stay."""
        own_wait = self.last_at == at
        return replace(
            self,
            count=max(0, self.count - 1),
            waits_until=self.last_at if own_wait else self.waits_until,
        )


@dataclass(frozen=True, slots=True)
class Throttle:
    """How attempts are slowed down: ``free`` ones, then waits that double up to ``longest``.

    A wait is never long: whoever fails on purpose in somebody else's name must not keep that person out. Attempts drain,
    ``free`` of them in a ``window``: where many people fail now and then, and never none, nobody waits for what was hours ago.
    """

    name: str
    free: int
    first_wait: timedelta
    longest: timedelta
    window: timedelta

    @property
    def drains_every(self) -> timedelta:
        """The time after which one attempt is forgotten."""
        return self.window / self.free

    def wait_after(self, attempts: int) -> timedelta:
        """The wait that follows this many attempts that still count."""
        beyond = attempts - self.free
        if beyond < 0:
            return timedelta()
        factor: int = 2 ** min(beyond, 20)
        return min(self.first_wait * factor, self.longest)

    def counted(self, tally: Tally, now: datetime) -> Tally:
        """With one more attempt. All are forgotten when there was none for a whole window."""
        left = self._drained(tally, now)
        count = left.count + 1
        return Tally(count, left.drained_at, now, now + self.wait_after(count))

    def _drained(self, tally: Tally, now: datetime) -> Tally:
        gone = max(0, (now - tally.drained_at) // self.drains_every)
        if gone >= tally.count or now - tally.last_at > self.window:
            return Tally.empty(now)
        return replace(
            tally, count=tally.count - gone, drained_at=tally.drained_at + gone * self.drains_every
        )


# Of one account from one place: for the owner the browser that has logged in to it before, for everybody else the address.
# So nobody who only shares an address, or knows a user name, makes the owner wait at the own browser.
LOGIN_AT_PLACE = Throttle(
    "login-account-address", 5, timedelta(seconds=2), timedelta(seconds=60), timedelta(minutes=15)
)
# Of an address, by browsers that nobody has logged in from yet: a wrong password for each of many accounts. It may be the
# address of thousands (a service hall, a provider's NAT): a hundred mistakes an hour are free for ever, and a minute is the most.
LOGIN_OF_ADDRESS = Throttle(
    "login-address", 100, timedelta(seconds=2), timedelta(seconds=60), timedelta(hours=1)
)
# Of an address, by browsers that somebody has logged in from before: the computers of a hall do not share the waits of
# strangers there. Whoever has an account makes such browsers as well, so it is not for nothing either.
LOGIN_OF_HALL = Throttle("login-hall", 500, timedelta(seconds=2), timedelta(seconds=60), timedelta(hours=1))
# Of one account from all unknown browsers together: slows a distributed guess. A browser that has logged in to the
# account before does not meet it, so the owner is not kept out by a stranger's attempts.
LOGIN_OF_ACCOUNT = Throttle(
    "login-account", 50, timedelta(seconds=1), timedelta(seconds=30), timedelta(hours=1)
)
# A challenge is a row that is kept for minutes: one address must not fill the table with them.
PASSKEYS_OF_ADDRESS = Throttle(
    "passkeys-address", 200, timedelta(seconds=1), timedelta(minutes=1), timedelta(minutes=15)
)
CHANGE_PASSWORD = Throttle(
    "change-password", 5, timedelta(seconds=5), timedelta(minutes=2), timedelta(minutes=30)
)
RESET_PASSWORD = Throttle(
    "reset-password", 5, timedelta(seconds=10), timedelta(minutes=10), timedelta(hours=12)
)
SECOND_FACTOR = Throttle(
    "second-factor", 5, timedelta(seconds=5), timedelta(seconds=60), timedelta(minutes=15)
)

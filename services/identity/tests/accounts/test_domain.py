"""User names, passwords and waits."""

import math
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_service.accounts.common_passwords import is_listed
from identity_service.accounts.domain import (
    LOGIN_AT_PLACE,
    LOGIN_OF_ACCOUNT,
    LOGIN_OF_ADDRESS,
    LOGIN_OF_HALL,
    PASSKEYS_OF_ADDRESS,
    PasswordUnsuitable,
    Tally,
    Throttle,
    UsernameUnsuitable,
    check_password,
    normal_username,
)
from identity_service.oidc.domain import USER_CODES_OF_ADDRESS
from identity_service.people.domain import CODE_PER_ADDRESS


def test_user_names_are_compared_in_lower_case() -> None:
    assert normal_username("  Wang.Xiaomai ") == "wang.xiaomai"


@pytest.mark.parametrize(
    "text", ["", "ab", "1abc", "a" * 41, "wang xiaomai", "王小麦", "a\x00bc", "19900000001"]
)
def test_what_cannot_be_typed_everywhere_is_no_user_name(text: str) -> None:
    with pytest.raises(UsernameUnsuitable):
        normal_username(text)


@pytest.mark.parametrize(
    "password", ["correct horse", "零一二三四五六七八九", "x7#q-Lm2%" * 13, "monkey83927461530"]
)
def test_long_and_unusual_passwords_are_fine(password: str) -> None:
    check_password(password, username="wang.xiaomai", is_listed=is_listed)


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "1234567890",
        "WoAiNi1314",
        "woaini1314520",
        "Password2024!",
        "passw0rd123",
        "ＱＷＥＲＴＹＵＩＯＰ",
        "aaaaaaaaaaaa",
        "ab1ab1ab1ab1",
        "cdefghijklmno",
        "wang.xiaomai9",
        "my lianban login",
        "x" * 129,
    ],
)
def test_short_common_and_telling_passwords_are_refused(password: str) -> None:
    with pytest.raises(PasswordUnsuitable) as refused:
        check_password(password, username="wang.xiaomai", is_listed=is_listed)
    assert refused.value.fields[0].pointer == "/password"
    assert password not in str(refused.value)


@given(st.integers(min_value=0, max_value=10_000))
def test_waits_grow_and_stay_short(attempts: int) -> None:
    for throttle in (LOGIN_AT_PLACE, LOGIN_OF_ACCOUNT):
        wait = throttle.wait_after(attempts)
        assert wait <= timedelta(seconds=60)
        assert throttle.wait_after(attempts + 1) >= wait
        assert (wait == timedelta()) == (attempts < throttle.free)


ALL_OF_ADDRESSES = (
    LOGIN_OF_ADDRESS,
    LOGIN_OF_HALL,
    PASSKEYS_OF_ADDRESS,
    USER_CODES_OF_ADDRESS,
    CODE_PER_ADDRESS,
)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Place:
    """An address at which people and attackers come and go, as the database would remember it."""

    throttle: Throttle
    tally: Tally = field(default_factory=lambda: Tally.empty(BEGIN))
    now: datetime = BEGIN
    admitted: list[datetime] = field(default_factory=list)

    @property
    def wait(self) -> timedelta:
        return max(timedelta(), self.tally.waits_until - self.now)

    def attempt(self, after: timedelta) -> bool:
        """One more after a while. Returns whether it was let through."""
        self.now += after
        if self.wait:
            return False
        self.tally = self.throttle.counted(self.tally, self.now)
        self.admitted.append(self.now)
        return True


shares_an_address = pytest.mark.parametrize("throttle", ALL_OF_ADDRESSES, ids=lambda one: one.name)


@shares_an_address
@given(seconds=st.lists(st.floats(0, 600), max_size=400))
def test_where_mistakes_come_no_faster_than_they_drain_nobody_ever_waits(
    throttle: Throttle, seconds: list[float]
) -> None:
    place = Place(throttle)
    for more in seconds:
        assert place.attempt(throttle.drains_every + timedelta(seconds=more))
        assert not place.wait


@shares_an_address
@given(seconds=st.lists(st.floats(0, 90), max_size=400))
def test_whatever_was_tried_at_an_address_a_stranger_waits_no_longer_than_the_longest(
    throttle: Throttle, seconds: list[float]
) -> None:
    place = Place(throttle)
    for _ in range(throttle.free * 2):
        place.attempt(timedelta())
    for after in seconds:
        place.attempt(timedelta(seconds=after))
        assert place.wait <= throttle.longest
    assert place.attempt(place.wait)


@shares_an_address
@given(seconds=st.lists(st.floats(0, 90), min_size=1, max_size=400))
def test_an_address_gets_no_more_guesses_than_drain_beside_the_free_ones_and_the_few_of_short_waits(
    throttle: Throttle, seconds: list[float]
) -> None:
    place = Place(throttle)
    for _ in range(throttle.free * 2):
        place.attempt(timedelta())
    for after in seconds:
        place.attempt(timedelta(seconds=after))
    drained = (place.now - BEGIN) / throttle.drains_every
    doublings = math.log2(throttle.longest / throttle.first_wait)
    at_the_slowest = (place.now - BEGIN) / throttle.longest
    assert len(place.admitted) <= throttle.free + drained + doublings + at_the_slowest + 2


def test_no_address_is_kept_waiting_for_longer_than_a_minute_at_the_log_in() -> None:
    assert {LOGIN_OF_ADDRESS.longest, LOGIN_OF_HALL.longest} == {timedelta(minutes=1)}


@given(st.lists(st.sampled_from(["succeeds", "fails"]), max_size=60), st.integers(100, 110))
def test_a_success_leaves_no_trace_at_the_address(steps: list[str], before: int) -> None:
    crowd, without_successes = Place(LOGIN_OF_ADDRESS), Place(LOGIN_OF_ADDRESS)
    for place in (crowd, without_successes):
        place.tally = replace(place.tally, count=before)
    for step in steps:
        crowd.now = without_successes.now = crowd.now + LOGIN_OF_ADDRESS.longest
        assert crowd.attempt(timedelta())
        if step == "succeeds":
            crowd.tally = crowd.tally.without_last(crowd.now)
            assert not crowd.wait
        else:
            assert without_successes.attempt(timedelta())
    assert crowd.tally.count <= without_successes.tally.count + 1

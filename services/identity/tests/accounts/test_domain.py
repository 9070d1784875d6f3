"""User names, passwords and waits."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_service.accounts.common_passwords import is_listed
from identity_service.accounts.domain import (
    LOGIN_AT_ADDRESS,
    LOGIN_OF_ACCOUNT,
    PasswordUnsuitable,
    UsernameUnsuitable,
    check_password,
    normal_username,
)


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
    for throttle in (LOGIN_AT_ADDRESS, LOGIN_OF_ACCOUNT):
        wait = throttle.wait_after(attempts)
        assert wait <= timedelta(seconds=60)
        assert throttle.wait_after(attempts + 1) >= wait
        assert (wait == timedelta()) == (attempts < throttle.free)

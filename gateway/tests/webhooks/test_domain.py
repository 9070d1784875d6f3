"""The rules of webhooks, without any I/O."""

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_service.webhooks.domain import (
    MOST_TRIES,
    BadReceiver,
    EventType,
    check_receiver,
    is_unreachable,
    next_try,
)
from service_common.public_addresses import is_allowed

NOW = datetime(2026, 11, 23, 1, tzinfo=UTC)


def test_ten_tries_take_about_75_hours() -> None:
    at = NOW
    for tries in range(1, MOST_TRIES):
        later = next_try(tries, now=at, chance=0.5)
        assert later is not None
        at = later
    assert MOST_TRIES == 10
    assert timedelta(hours=75) < at - NOW < timedelta(hours=76)
    assert next_try(MOST_TRIES, now=at, chance=0.5) is None


@given(st.integers(1, 9), st.floats(0, 1))
def test_jitter_is_at_most_a_tenth(tries: int, chance: float) -> None:
    exact = next_try(tries, now=NOW, chance=0.5)
    drawn = next_try(tries, now=NOW, chance=chance)
    assert exact is not None
    assert drawn is not None
    assert abs(drawn - exact) <= (exact - NOW) * 0.1001


def test_an_outage_of_five_minutes_is_outlasted() -> None:
    first, second = next_try(1, now=NOW, chance=1), next_try(2, now=NOW, chance=0)
    assert first is not None
    assert second is not None
    assert (first - NOW) + (second - NOW) >= timedelta(seconds=270)
    assert next_try(3, now=NOW, chance=0) is not None


def test_retry_after_is_honoured_but_not_for_ever() -> None:
    assert next_try(1, now=NOW, chance=0.5, retry_after=timedelta(minutes=10)) == NOW + timedelta(minutes=10)
    assert next_try(1, now=NOW, chance=0.5, retry_after=timedelta(days=400)) == NOW + timedelta(hours=24)
    assert next_try(4, now=NOW, chance=0.5, retry_after=timedelta(0)) == NOW + timedelta(hours=2)


def test_a_receiver_that_took_something_meanwhile_is_not_unreachable() -> None:
    assert is_unreachable(created_at=NOW, last_success_at=None)
    assert is_unreachable(created_at=NOW, last_success_at=NOW - timedelta(seconds=1))
    assert not is_unreachable(created_at=NOW, last_success_at=NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    "url",
    [
        "http://approval.example.gov.cn/hook",
        "ftp://approval.example.gov.cn/",
        "https://",
        "https:///hook",
        "https://user:secret@approval.example.gov.cn/",
        "https://approval.example.gov.cn/#part",
        "https://approval.example.gov.cn:99999/",
        "https://approval.example.gov.cn/a b",
        "https://审批.example/",
        "https://[::1/",
        "approval.example.gov.cn",
    ],
)
def test_addresses_that_cannot_be_receivers(url: str) -> None:
    with pytest.raises(BadReceiver):
        check_receiver(url, loopback_allowed=False)


def test_plain_http_is_for_one_machine_only() -> None:
    check_receiver("http://127.0.0.1:9000/hook", loopback_allowed=True)
    check_receiver("https://approval.example.gov.cn:8443/hook?tenant=1", loopback_allowed=False)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.1.2.3",
        "::1",
        "0.0.0.0",
        "::",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::1",
        "64:ff9b:1::a9fe:a9fe",
        "::127.0.0.1",
        "fec0::1",
    ],
)
def test_addresses_inside_are_refused(address: str) -> None:
    assert not is_allowed(ipaddress.ip_address(address), loopback_allowed=False)


@pytest.mark.parametrize("address", ["223.5.5.5", "2400:3200::1", "::ffff:223.5.5.5"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_allowed(ipaddress.ip_address(address), loopback_allowed=False)


def test_loopback_is_the_only_inside_address_that_a_setting_allows() -> None:
    assert is_allowed(ipaddress.ip_address("127.0.0.1"), loopback_allowed=True)
    assert not is_allowed(ipaddress.ip_address("10.0.0.1"), loopback_allowed=True)


def test_departments_hear_nothing_about_reviewers_or_looks_at_licences() -> None:
    assert not [one for one in EventType if "review" in one or "used" in one or "informed" in one]

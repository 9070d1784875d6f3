"""Rules of the log-in pages."""

import pytest

from identity_service.login.domain import asks_for_fresh_login, new_scan_code
from identity_service.oidc.domain import normal_user_code


@pytest.mark.parametrize(
    ("parameters", "fresh"),
    [
        ({}, False),
        ({"prompt": "consent"}, False),
        ({"prompt": "consent login"}, True),
        ({"prompt": "select_account"}, True),
        ({"max_age": "0"}, True),
        ({"max_age": "86400"}, True),
    ],
)
def test_what_asks_for_a_fresh_log_in(parameters: dict[str, str], fresh: bool) -> None:
    assert asks_for_fresh_login(parameters) is fresh


def test_a_scan_code_is_typed_like_that_of_a_device() -> None:
    codes = {new_scan_code() for _ in range(50)}
    assert len(codes) == 50
    assert {normal_user_code(code.lower().replace("-", " ")) for code in codes} == codes

"""Redirect addresses and keys of clients."""

from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from identity_service.relying_parties.domain import check_redirect_uri, redirect_matches
from identity_service.relying_parties.key_sets import check_key_set


@pytest.mark.parametrize(
    ("uri", "public"),
    [
        ("https://partner.example/cb", False),
        ("https://partner.example/cb?fixed=1", False),
        ("http://127.0.0.1/cb", True),
        ("http://[::1]/cb", True),
        ("http://localhost:8080/cb", False),
        ("example.lianban.app:/cb", True),
    ],
)
def test_redirect_addresses_that_may_be_registered(uri: str, public: bool) -> None:
    assert check_redirect_uri(uri, pointer="/0", is_public=public) is None


@pytest.mark.parametrize(
    ("uri", "public"),
    [
        ("http://partner.example/cb", True),
        ("https://partner.example/cb#x", False),
        ("https://user@partner.example/cb", False),
        ("https:///cb", False),
        ("javascript:alert(1)", True),
        ("data:text/html,x", True),
        ("example.lianban.app:/cb", False),
        ("https://partner.example/ cb", False),
        ("https://部门.example/cb", False),
        ("//partner.example/cb", False),
        ("http://127.0.0.1.nip.example/cb", True),
        ("https://[bad", False),
        ("", False),
    ],
)
def test_redirect_addresses_that_may_not(uri: str, public: bool) -> None:
    assert check_redirect_uri(uri, pointer="/0", is_public=public) is not None


@pytest.mark.parametrize(
    ("requested", "registered", "any_port", "matches"),
    [
        ("https://a.example/cb", "https://a.example/cb", False, True),
        ("https://a.example/cb/", "https://a.example/cb", False, False),
        ("https://a.example/CB", "https://a.example/cb", False, False),
        ("https://a.example/cb?x=1", "https://a.example/cb", False, False),
        ("https://a.example:8443/cb", "https://a.example/cb", True, False),
        ("http://127.0.0.1:4711/cb", "http://127.0.0.1/cb", True, True),
        ("http://[::1]:4711/cb", "http://[::1]/cb", True, True),
        ("http://127.0.0.1:4711/cb", "http://127.0.0.1/cb", False, False),
        ("http://127.0.0.1:4711/cb", "http://[::1]/cb", True, False),
        ("http://127.0.0.1:4711/other", "http://127.0.0.1/cb", True, False),
        ("http://evil@127.0.0.1:4711/cb", "http://127.0.0.1/cb", True, False),
        ("http://127.0.0.1:4711/cb#f", "http://127.0.0.1/cb", True, False),
        ("http://127.0.0.1:99999/cb", "http://127.0.0.1/cb", True, False),
        ("https://127.0.0.1:4711/cb", "http://127.0.0.1/cb", True, False),
    ],
)
def test_redirects_match_exactly_but_for_the_port_on_loopback(
    requested: str, registered: str, any_port: bool, matches: bool
) -> None:
    assert redirect_matches(requested, registered, any_port=any_port) is matches


def test_only_public_keys_are_taken() -> None:
    key = ECKey.generate_key("P-256")
    assert check_key_set({"keys": [key.as_dict(private=False)]}) is None
    bad_ones: tuple[Any, ...] = (
        None,
        {},
        {"keys": []},
        {"keys": [key.as_dict(private=True)]},
        {"keys": [OctKey.generate_key(256).as_dict()]},
        {"keys": [{"kty": "EC"}]},
        {"keys": ["x"]},
        {"keys": [ECKey.generate_key("P-384").as_dict(private=False)]},
        {"keys": [OKPKey.generate_key("X25519").as_dict(private=False)]},
        {"keys": [RSAKey.generate_key(1024).as_dict(private=False)]},
        {
            "keys": [
                {**one.as_dict(private=False), "kid": "same"} for one in (key, ECKey.generate_key("P-256"))
            ]
        },
    )
    for bad in bad_ones:
        assert check_key_set(bad) is not None

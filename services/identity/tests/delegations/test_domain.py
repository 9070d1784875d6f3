"""What may be entrusted, and how a delegation stands."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from identity_service.delegations.domain import (
    InvalidDelegation,
    Party,
    Standing,
    Terms,
    agreement,
    check_terms,
    standing_of,
    text_hash,
)
from service_common.contracts.acceptance import HolderKind
from service_common.contracts.identity import AgentKind
from service_common.delegation import Act, Delegation

NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
ONE = Party(UUID(int=1), "王小麦")
OTHER = Party(UUID(int=2), "李谷雨")


def terms(**changes: Any) -> Terms:
    facts: dict[str, Any] = {
        "acts": frozenset({Act.VIEW, Act.SUBMIT}),
        "matters": frozenset({"acceptance:43TCP0018"}),
        "valid_until": NOW + timedelta(days=30),
        **changes,
    }
    return Terms(**facts)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"acts": frozenset()}, "acts_missing"),
        ({"matters": frozenset()}, "matters_missing"),
        ({"matters": frozenset({"43TCP0018"})}, "unknown_matter"),
        ({"matters": frozenset({"identity:*"})}, "unknown_matter"),
        ({"matters": frozenset({"acceptance:a b"})}, "unknown_matter"),
        ({"valid_until": NOW}, "in_the_past"),
        ({"valid_from": NOW + timedelta(days=31)}, "in_the_past"),
        ({"valid_until": NOW + timedelta(days=367)}, "too_long"),
    ],
)
def test_terms_that_break_a_rule_are_named(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidDelegation) as refused:
        check_terms(terms(**changes), now=NOW)
    assert [one.code for one in refused.value.fields] == [code]


def test_good_terms_pass() -> None:
    check_terms(terms(matters=frozenset({"acceptance:*", "certificates:*"}), max_uses=3), now=NOW)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"accepted_at": None}, Standing.OFFERED),
        ({}, Standing.ACTIVE),
        ({"terms": terms(valid_from=NOW + timedelta(hours=1))}, Standing.NOT_YET),
        ({"terms": terms(valid_until=NOW)}, Standing.EXPIRED),
        ({"terms": terms(max_uses=2), "uses": 1}, Standing.ACTIVE),
        ({"terms": terms(max_uses=2), "uses": 2}, Standing.USED_UP),
        ({"revoked_at": NOW}, Standing.REVOKED),
        ({"revoked_at": NOW, "terms": terms(valid_until=NOW)}, Standing.REVOKED),
    ],
)
def test_how_it_stands(facts: dict[str, Any], expected: Standing) -> None:
    usual: dict[str, Any] = {"terms": terms(), "uses": 0, "accepted_at": NOW, "revoked_at": None}
    whole = {**usual, **facts}
    assert standing_of(whole.pop("terms"), now=NOW, **whole) is expected


def test_the_same_terms_give_the_same_text_and_others_another() -> None:
    def write(given: Terms) -> str:
        return agreement(ONE, HolderKind.NATURAL_PERSON, OTHER, AgentKind.PERSON, given)

    text = write(terms())
    assert [word for word in ("王小麦", "李谷雨", "43TCP0018") if word not in text] == []
    assert "签署" not in text
    assert text_hash(write(terms())) == text_hash(text)
    assert text_hash(write(terms(max_uses=1))) != text_hash(text)
    assert text_hash(write(terms(acts=frozenset({Act.VIEW})))) != text_hash(text)


def test_a_star_covers_one_service_and_no_other() -> None:
    delegation = Delegation(UUID(int=3), "person", "x", frozenset({"VIEW"}), frozenset({"acceptance:*"}))
    assert delegation.covers("acceptance", "43TCP0018")
    assert not delegation.covers("certificates", "43TCP0018")
    assert delegation.allows(Act.VIEW)
    assert not delegation.allows(Act.SUBMIT)

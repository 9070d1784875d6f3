from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates_service.licences.domain import (
    GROUNDS,
    LIVING,
    STATUS_LABELS,
    TRANSITIONS,
    Action,
    ActionNotPossible,
    Content,
    Reason,
    WrongGround,
    check_content,
    effective_status,
    end_of_validity,
    is_valid_on,
    legal_basis,
    may_issue,
    next_status,
)
from certificates_service.types.domain import (
    Category,
    CodeKnown,
    HolderScope,
    SurfaceField,
    TypeDefinition,
    Validity,
    ValidityRule,
)
from gov_rules.identifiers import InvalidIdentifier, compose_licence_identifier, parse_licence_identifier
from service_common.contracts.certificates import LicenceStatus

TODAY = date(2026, 11, 23)
FINAL = frozenset(LicenceStatus) - LIVING


def type_with(validity: Validity) -> TypeDefinition:
    return TypeDefinition(
        code="11990000LB0000230M001",
        name="试验证",
        aliases=(),
        is_official=False,
        code_known=CodeKnown.LOCAL,
        category=Category.LICENCE,
        authority="HN-430000-SCJG",
        holder_kind=HolderScope.BOTH,
        validity=validity,
        qr_lifetime_seconds=60,
        surface_fields=(SurfaceField("名称", None, required=True, personal=False),),
        issuers=(),
        origin={},
    )


LONG_TERM = type_with(Validity(ValidityRule.LONG_TERM))
ISSUER_SETS = type_with(Validity(ValidityRule.ISSUER_SETS))
FOUR_YEARS = type_with(Validity(ValidityRule.YEARS, 4, "公共场所卫生管理条例实施细则"))
SURFACE = {"名称": "试验田便利店"}


def test_gbt_36904_an_issued_identifier_has_its_four_parts_and_a_valid_check_character() -> None:
    text = compose_licence_identifier(
        "11990000LB0000230M001", "11990000LB0000230M", "7Q2K0B5ZR81XWM3NC6TD", 1
    )
    read = parse_licence_identifier(text)
    assert text.startswith(
        "1.2.156.3005.2.11990000LB0000230M001.11990000LB0000230M.7Q2K0B5ZR81XWM3NC6TD.001."
    )
    assert (read.serial, read.version, len(read.serial)) == ("7Q2K0B5ZR81XWM3NC6TD", 1, 20)


def test_gbt_36904_an_identifier_seen_in_public_verifies_and_its_neighbour_does_not() -> None:
    found = "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001."
    assert parse_licence_identifier(found + "U").version == 1
    with pytest.raises(InvalidIdentifier):
        parse_licence_identifier(found + "V")


def test_gbt_36904_a_new_version_keeps_the_serial() -> None:
    first = parse_licence_identifier(
        compose_licence_identifier("11990000LB0000230M001", "11990000LB0000230M", "A" * 20, 1)
    )
    second = parse_licence_identifier(first.reissued())
    assert (second.serial, second.version) == (first.serial, 2)


@given(st.lists(st.sampled_from(Action), max_size=12))
def test_a_final_status_never_returns(actions: list[Action]) -> None:
    status = LicenceStatus.NORMAL
    ended = None
    for action in actions:
        try:
            status = next_status(status, action)
        except ActionNotPossible:
            continue
        assert ended is None
        if status in FINAL:
            ended = status
    assert status == (ended or status)


@given(st.sampled_from(sorted(FINAL)), st.sampled_from(Action))
def test_nothing_can_be_done_to_a_final_status(status: LicenceStatus, action: Action) -> None:
    with pytest.raises(ActionNotPossible):
        next_status(status, action)


def test_every_status_has_a_label_and_can_be_reached() -> None:
    reached = {target for edges in TRANSITIONS.values() for target in edges.values()}
    assert reached == set(LicenceStatus) == set(STATUS_LABELS)


def test_a_suspended_licence_is_given_back_or_ends_but_gets_no_new_version() -> None:
    assert next_status(LicenceStatus.SUSPENDED, Action.RESUME) is LicenceStatus.NORMAL
    assert next_status(LicenceStatus.SUSPENDED, Action.REVOKE) is LicenceStatus.REVOKED
    with pytest.raises(ActionNotPossible):
        next_status(LicenceStatus.SUSPENDED, Action.SUPERSEDE)


def test_every_reason_has_one_ground_and_every_decision_a_reason() -> None:
    assert set(GROUNDS) == set(Reason)
    decided = {Action.SUSPEND, Action.RESUME, Action.REVOKE, Action.WITHDRAW, Action.CANCEL}
    assert {ground.action for ground in GROUNDS.values()} == decided


def test_licensing_law_article_69_2_revokes_what_was_obtained_by_deceit() -> None:
    basis = legal_basis(Action.REVOKE, Reason.OBTAINED_BY_DECEIT, None)
    assert basis == "行政许可法第六十九条第二款"


def test_a_reason_of_another_action_is_no_ground() -> None:
    with pytest.raises(WrongGround):
        legal_basis(Action.CANCEL, Reason.OBTAINED_BY_DECEIT, None)


def test_a_reason_by_other_law_needs_that_law() -> None:
    with pytest.raises(WrongGround):
        legal_basis(Action.CANCEL, Reason.CANCELLED_BY_OTHER_LAW, None)
    assert legal_basis(Action.CANCEL, Reason.CANCELLED_BY_OTHER_LAW, "某条例第十条") == "某条例第十条"


def test_the_last_day_counts_and_the_day_after_does_not() -> None:
    last = TODAY
    assert effective_status(LicenceStatus.NORMAL, last, TODAY) is LicenceStatus.NORMAL
    assert effective_status(LicenceStatus.NORMAL, last, date(2026, 11, 24)) is LicenceStatus.EXPIRED
    assert effective_status(LicenceStatus.SUSPENDED, last, date(2026, 11, 24)) is LicenceStatus.EXPIRED


@given(st.sampled_from(sorted(FINAL)), st.dates(), st.dates())
def test_a_final_status_does_not_expire_over(status: LicenceStatus, last: date, day: date) -> None:
    assert effective_status(status, last, day) is status


def test_a_licence_is_not_valid_before_its_first_day() -> None:
    assert not is_valid_on(LicenceStatus.NORMAL, date(2026, 11, 24), None, TODAY)
    assert is_valid_on(LicenceStatus.NORMAL, TODAY, None, TODAY)
    assert not is_valid_on(LicenceStatus.SUSPENDED, TODAY, None, TODAY)


def test_four_years_end_on_the_eve_of_the_anniversary() -> None:
    assert end_of_validity(FOUR_YEARS, Content(SURFACE, date(2026, 3, 1), None)) == date(2030, 2, 28)
    assert end_of_validity(FOUR_YEARS, Content(SURFACE, date(2024, 2, 29), None)) == date(2028, 2, 28)


def test_a_leap_day_without_anniversary_ends_on_the_last_of_february() -> None:
    one_year = type_with(Validity(ValidityRule.YEARS, 1, "x"))
    assert end_of_validity(one_year, Content(SURFACE, date(2024, 2, 29), None)) == date(2025, 2, 28)


@pytest.mark.parametrize(
    ("definition", "first", "last", "code"),
    [
        (LONG_TERM, TODAY, date(2030, 1, 1), "long_term_type"),
        (FOUR_YEARS, TODAY, date(2030, 11, 23), "too_long"),
        (ISSUER_SETS, TODAY, date(2026, 11, 22), "before_start"),
        (ISSUER_SETS, date(2020, 1, 1), date(2026, 11, 22), "over"),
    ],
)
def test_dates_that_the_type_does_not_allow(
    definition: TypeDefinition, first: date, last: date, code: str
) -> None:
    problems = list(check_content(definition, Content(SURFACE, first, last), TODAY))
    assert [one.code for one in problems] == [code]


def test_a_good_content_has_no_problem() -> None:
    assert list(check_content(ISSUER_SETS, Content(SURFACE, TODAY, date(2030, 1, 1)), TODAY)) == []


def test_a_department_issues_for_itself_alone() -> None:
    own, other = UUID(int=1), UUID(int=2)
    assert may_issue("staff", own, own)
    assert may_issue("client", own, own)
    assert may_issue("client", None, own)
    assert not may_issue("client", other, own)
    assert not may_issue("staff", None, own)
    assert not may_issue("person", None, own)

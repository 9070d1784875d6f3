"""What actions on a case ask for, article by article (行政许可法)."""

from uuid import UUID

import pytest

from acceptance_service.cases.domain.rules import (
    AcceptanceMode,
    CorrectionEmpty,
    FourEyes,
    Gaps,
    MaterialsMissing,
    NoticeAndPromiseNotOffered,
    NotTolerated,
    Opinion,
    OpinionsDiffer,
    OwnApplication,
    Readiness,
    ReasonsMissing,
    SecondCorrection,
    SiteCheckStaff,
    ToleranceNotPromised,
    confirms,
    need_first_correction,
    need_impartial,
    need_reasons,
    need_site_check_staff,
    readiness,
)
from acceptance_service.cases.domain.states import CaseStatus
from acceptance_service.cases.domain.surface import SurfaceSources, fill_surface
from acceptance_service.cases.handlers.performing import served_prefix, supervises
from service_common.auth import Caller

ONE, TWO = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(("reasons", "remedies"), [("", "可以复议"), ("材料不实", " "), ("", "")])
def test_article_38_a_refusal_states_reasons_and_remedies(reasons: str, remedies: str) -> None:
    with pytest.raises(ReasonsMissing) as refused:
        need_reasons(reasons, remedies)
    assert len(refused.value.fields) == (not reasons.strip()) + (not remedies.strip())


def test_article_32_the_notice_is_given_once() -> None:
    with pytest.raises(SecondCorrection):
        need_first_correction(already_noticed=True, missing=["材料"])


def test_article_32_the_notice_names_what_is_missing() -> None:
    with pytest.raises(CorrectionEmpty):
        need_first_correction(already_noticed=False, missing=[" "])


def test_article_34_a_site_check_takes_two() -> None:
    with pytest.raises(SiteCheckStaff):
        need_site_check_staff([ONE, ONE])
    need_site_check_staff([ONE, TWO])


def test_a_complete_case_is_accepted() -> None:
    Gaps(frozenset(), frozenset(), promised=False).need_acceptable(
        AcceptanceMode.REGULAR, notify_promise=False, promises=[]
    )


def test_a_gap_is_not_accepted_as_if_complete() -> None:
    with pytest.raises(MaterialsMissing):
        Gaps(frozenset({"M1"}), frozenset({"M1"}), promised=True).need_acceptable(
            AcceptanceMode.REGULAR, notify_promise=False, promises=[]
        )


def test_only_listed_gaps_are_tolerated() -> None:
    with pytest.raises(NotTolerated):
        Gaps(frozenset({"M1", "M2"}), frozenset({"M1"}), promised=True).need_acceptable(
            AcceptanceMode.TOLERANCE, notify_promise=False, promises=[]
        )


def test_a_tolerated_gap_is_promised_by_the_applicant() -> None:
    gaps = Gaps(frozenset({"M1"}), frozenset({"M1"}), promised=False)
    with pytest.raises(ToleranceNotPromised):
        gaps.need_acceptable(AcceptanceMode.TOLERANCE, notify_promise=False, promises=[])


@pytest.mark.parametrize(("offered", "promises"), [(False, ["p"]), (True, [])])
def test_a_promise_is_accepted_where_the_item_offers_it_and_it_is_signed(
    offered: bool,
    promises: list[str],
) -> None:
    with pytest.raises(NoticeAndPromiseNotOffered):
        Gaps(frozenset(), frozenset(), promised=False).need_acceptable(
            AcceptanceMode.PROMISE, notify_promise=offered, promises=promises
        )


@pytest.mark.parametrize("deciding", [str(ONE), str(TWO)])
def test_nobody_decides_an_own_application(deciding: str) -> None:
    with pytest.raises(OwnApplication):
        need_impartial(deciding, submitted_by=ONE, applicant_id=TWO)


def test_the_first_of_four_eyes_is_an_opinion() -> None:
    assert not confirms(None, approve=True, by="a")


def test_the_second_pair_of_eyes_decides() -> None:
    assert confirms(Opinion(approve=True, by="a"), approve=True, by="b")


def test_one_person_has_two_eyes() -> None:
    with pytest.raises(FourEyes):
        confirms(Opinion(approve=True, by="a"), approve=True, by="a")


def test_two_opinions_agree() -> None:
    with pytest.raises(OpinionsDiffer):
        confirms(Opinion(approve=True, by="a"), approve=False, by="b")


A, B = "A", "B"
FINISHED, REVIEWING, WITHDRAWN = CaseStatus.FINISHED, CaseStatus.REVIEWING, CaseStatus.WITHDRAWN


@pytest.mark.parametrize(
    ("statuses", "granted", "any_", "expected"),
    [
        ({A: FINISHED, B: REVIEWING}, {A}, False, Readiness.WAITS),
        ({A: FINISHED, B: REVIEWING}, {A}, True, Readiness.READY),
        ({A: FINISHED, B: FINISHED}, {A, B}, False, Readiness.READY),
        ({A: FINISHED, B: REVIEWING}, set(), False, Readiness.HOPELESS),
        ({A: WITHDRAWN, B: REVIEWING}, set(), True, Readiness.WAITS),
        ({A: WITHDRAWN, B: FINISHED}, set(), True, Readiness.HOPELESS),
        ({A: WITHDRAWN, B: FINISHED}, {B}, False, Readiness.HOPELESS),
    ],
)
def test_a_waiting_case_goes_on_when_what_it_waits_for_is_granted(
    statuses: dict[str, CaseStatus],
    granted: set[str],
    any_: bool,
    expected: Readiness,
) -> None:
    assert readiness([A, B], statuses, granted, any_=any_) is expected


def test_a_licence_shows_what_the_form_and_the_register_say_and_nothing_invented() -> None:
    sources = SurfaceSources(
        form={"shop": "示例店", "items": ["热食", "冷食"], "empty": ""},
        applicant_name="王小麦",
        applicant_number=None,
        department_name="某局",
    )
    fields = [
        ("名称", "form.shop"),
        ("项目", "form.items"),
        ("空", "form.empty"),
        ("持证人", "applicant.name"),
        ("号码", "applicant.number"),
        ("机关", "department.name"),
        ("证号", "licence.number"),
        ("备注", None),
    ]
    assert fill_surface(fields, sources) == {
        "名称": "示例店",
        "项目": "热食、冷食",
        "持证人": "王小麦",
        "机关": "某局",
    }


@pytest.mark.parametrize(
    ("own", "division", "seen"),
    [
        ("430300000000", "430304000000", True),
        ("430300999000", "430304000000", False),
        ("430300999000", "430300999000", True),
        ("430304999000", "430304001000", False),
        ("100000000000", "430304001000", True),
        (None, "430304000000", False),
    ],
)
def test_a_supervisor_of_an_own_level_supervises_that_level_alone(
    own: str | None, division: str, seen: bool
) -> None:
    caller = Caller("s", "staff", "desk", frozenset(), division=own, roles=frozenset({"supervisor"}))
    assert supervises(caller, division) is seen


@pytest.mark.parametrize(
    ("own", "prefix"),
    [("430300999000", "4303"), ("430304999000", "430304"), ("430304001000", "430304001"), (None, "")],
)
def test_an_office_of_the_own_level_serves_its_whole_division(own: str | None, prefix: str) -> None:
    assert served_prefix(Caller("s", "staff", "desk", frozenset(), division=own)) == prefix

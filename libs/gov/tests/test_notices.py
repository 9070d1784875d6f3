"""Holiday notices as data: read whole or refused whole, every fault with its line."""

from datetime import date

import pytest

from gov_rules.notices import CalendarNotice, NoticeRejected, parse_notice, parse_version
from gov_rules.statutory_holidays import statutory_holidays

HEAD = "# year: 2027\n# version: cn-2027.1\n# source: 虚构通知，仅供测试\ndate,kind,name\n"
STATUTORY = "".join(f"{day},holiday,{name}\n" for day, name in sorted(statutory_holidays(2027).items()))


def rejected(text: str) -> list[tuple[int | None, str]]:
    with pytest.raises(NoticeRejected) as refusal:
        parse_notice(text)
    return [(problem.line, problem.code) for problem in refusal.value.problems]


def test_a_notice_is_read_with_its_head_days_off_and_make_up_days() -> None:
    notice = parse_notice(f"\ufeff{HEAD}{STATUTORY}2027-01-04,holiday,元旦\n\n2027-01-09,workday,元旦\n")
    assert (notice.year, notice.version, notice.source) == (2027, "cn-2027.1", "虚构通知，仅供测试")
    assert notice.holidays[date(2027, 1, 4)] == "元旦"
    assert notice.makeup_workdays == {date(2027, 1, 9): "元旦"}
    assert not notice.amends


def test_the_december_before_the_year_may_be_named() -> None:
    notice = parse_notice(f"{HEAD}{STATUTORY}2026-12-27,workday,元旦\n")
    assert notice.makeup_workdays == {date(2026, 12, 27): "元旦"}


def test_every_fault_is_reported_with_its_line_and_nothing_is_read() -> None:
    faults = "2027-13-01,holiday,x\n2027-01-01,holiday,x\n2028-01-01,holiday,x\n2027-01-05,workday,x\n2027-01-09,free,x\n2027-01-10,workday\n"
    first = HEAD.count("\n") + STATUTORY.count("\n") + 1
    assert rejected(HEAD + STATUTORY + faults) == [
        (first, "notice_row"),
        (first + 1, "notice_day_twice"),
        (first + 2, "notice_day_outside_year"),
        (first + 3, "notice_makeup_on_weekday"),
        (first + 4, "notice_row"),
        (first + 5, "notice_row"),
    ]


def test_a_day_cannot_be_off_and_worked() -> None:
    text = f"{HEAD}{STATUTORY}2027-01-09,holiday,x\n2027-01-09,workday,x\n"
    assert [code for _, code in rejected(text)] == ["notice_day_twice"]


def test_order_795_a_notice_without_a_statutory_day_is_refused() -> None:
    text = HEAD + STATUTORY.replace("2027-10-02,holiday,国庆节\n", "")
    assert rejected(text) == [(None, "notice_statutory_day_missing")]


@pytest.mark.parametrize(
    ("head", "code"),
    [
        ("# version: cn-2027.1\n# source: x\n", "notice_year"),
        ("# year: 2027\n# version: 2027\n# source: x\n", "notice_version"),
        ("# year: 2027\n# version: cn-2027.1\n", "notice_source"),
    ],
)
def test_a_notice_needs_year_version_and_source(head: str, code: str) -> None:
    assert code in [found for _, found in rejected(head + STATUTORY)]


def test_faults_of_the_head_are_reported_along_with_those_of_rows() -> None:
    codes = [code for _, code in rejected("# year: 2027\n2027-01-05,workday,x\n")]
    assert codes == ["notice_makeup_on_weekday", "notice_source", "notice_version"]


def test_a_notice_built_from_other_data_is_checked_alike() -> None:
    with pytest.raises(NoticeRejected) as refusal:
        CalendarNotice(
            2027,
            holidays=statutory_holidays(2027) | {date(2027, 1, 9): "x", date(2028, 1, 1): "x"},
            makeup_workdays={date(2027, 1, 9): "x", date(2027, 1, 5): "x"},
            source="x",
            version="cn-2027.1",
        )
    assert {problem.code for problem in refusal.value.problems} == {
        "notice_day_twice",
        "notice_day_outside_year",
        "notice_makeup_on_weekday",
    }


def test_the_sentence_of_a_rejection_names_the_lines() -> None:
    with pytest.raises(NoticeRejected) as refusal:
        parse_notice(HEAD + "x,y,z\n")
    assert "[5]" in refusal.value.zh
    assert "[5]" in refusal.value.en


def test_versions_are_ordered_by_year_and_revision() -> None:
    assert parse_version("cn-2026.10") > parse_version("cn-2026.9")
    with pytest.raises(NoticeRejected):
        parse_version("cn-2026.0")

"""The life of a version, the documents' own rules, and reading files."""

import json
from typing import Any

import pytest

from acceptance_service.catalogue.definitions import ItemDefinition, compiled_elements, content_hash
from acceptance_service.catalogue.domain import (
    Action,
    BadFile,
    EntryState,
    ImportKind,
    NotInThatState,
    OwnReview,
    check_four_eyes,
    display_title,
    next_state,
)
from acceptance_service.catalogue.files import read_file
from acceptance_service.catalogue.lists import SynonymRow, synonyms_of

ORIGIN = {"kind": "source", "source": "synthetic"}


def document(code: str = "ITEM-1", **changes: Any) -> dict[str, Any]:
    return {
        "code": code,
        "name": "合成事项",
        "handling_name": None,
        "department": "HN-990301-SCJG",
        "department_origin": "portal",
        "division": "430300000000",
        "completeness": "link_only",
        "min_trust_level": 2,
        "instant_rule": None,
        "origin": ORIGIN,
        "element_origins": {"min_trust_level": {"kind": "compiled", "evidence": "synthetic"}},
        **changes,
    }


def lines(*documents: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(one, ensure_ascii=False) for one in documents).encode()


def test_a_version_is_reviewed_before_it_is_published() -> None:
    state = EntryState.DRAFT
    for action in (Action.SUBMIT_REVIEW, Action.APPROVE, Action.PUBLISH, Action.RETIRE):
        state = next_state("ITEM-1", 1, state, action)
    assert state is EntryState.RETIRED


@pytest.mark.parametrize(
    ("state", "action"),
    [
        (EntryState.DRAFT, Action.PUBLISH),
        (EntryState.DRAFT, Action.APPROVE),
        (EntryState.IN_REVIEW, Action.PUBLISH),
        (EntryState.PUBLISHED, Action.SEND_BACK),
        (EntryState.RETIRED, Action.PUBLISH),
    ],
)
def test_no_step_is_skipped(state: EntryState, action: Action) -> None:
    with pytest.raises(NotInThatState):
        next_state("ITEM-1", 1, state, action)


@pytest.mark.parametrize("reviewer", ["staff:a", "staff:b"])
def test_nobody_reviews_what_they_brought_in_or_submitted(reviewer: str) -> None:
    with pytest.raises(OwnReview):
        check_four_eyes(brought_in_by="staff:a", submitted_by="staff:b", reviewer=reviewer)


def test_a_third_person_may_review() -> None:
    check_four_eyes(brought_in_by="staff:a", submitted_by="staff:b", reviewer="staff:c")


def test_the_hash_does_not_depend_on_how_a_document_was_written() -> None:
    assert content_hash({"a": 1, "b": [2]}) == content_hash({"b": [2], "a": 1})
    assert content_hash({"a": 1}) != content_hash({"a": 2})


def test_compiled_elements_are_pointed_at() -> None:
    origin = {"kind": "compiled", "evidence": "e"}
    found = compiled_elements(
        {"element_origins": {"form": origin}, "items": [{"origin": origin}, {"origin": ORIGIN}]}
    )
    assert list(found) == ["/element_origins/form", "/items/0"]


def test_a_theme_is_called_by_its_subject() -> None:
    assert display_title("开办超市、便利店“一件事”") == "开办超市、便利店"
    assert display_title("教育入学一件事") == "教育入学"


def test_every_bad_row_is_reported_by_line_and_pointer() -> None:
    body = lines(document(), document("ITEM-2", division="99"), document("ITEM-3", colour="red"))
    with pytest.raises(BadFile) as refused:
        read_file(ImportKind.ITEMS, body)
    assert [(one.pointer, one.code) for one in refused.value.fields] == [
        ("/lines/2/division", "value_error"),
        ("/lines/3/colour", "extra_forbidden"),
    ]
    assert refused.value.facts["count"] == 2
    assert "第 2 行" in refused.value.fields[0].zh


def test_a_code_that_stands_twice_is_a_fault() -> None:
    with pytest.raises(BadFile) as refused:
        read_file(ImportKind.ITEMS, lines(document(), document()))
    assert refused.value.fields[0].pointer == "/lines/2/code"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty_file"),
        (b"\n\n", "empty_file"),
        (b"{not json", "json_invalid"),
        (b"\xff\xfe{}", "not_utf8"),
        (b"[1, 2]", "model_type"),
        (b"{}\x00", "nul_character"),
        (b'{"name": "\\u0000"}', "nul_character"),
    ],
)
def test_a_file_that_is_no_list_of_items_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(BadFile) as refused:
        read_file(ImportKind.ITEMS, body)
    assert refused.value.fields[0].code == code


def test_faults_beyond_the_first_hundreds_are_counted() -> None:
    body = lines(*(document(f"ITEM-{number}", colour="red") for number in range(1, 301)))
    with pytest.raises(BadFile) as refused:
        read_file(ImportKind.ITEMS, body)
    assert (len(refused.value.fields), refused.value.facts["count"]) == (200, 300)


def test_lines_end_at_line_feeds_only() -> None:
    body = lines(document(name="名称\u2028续", handling_name=None), document("ITEM-2"))
    assert [row.line for row in read_file(ImportKind.ITEMS, body)] == [1, 2]


def test_a_csv_row_is_checked_too() -> None:
    with pytest.raises(BadFile) as refused:
        read_file(ImportKind.SYNONYMS, "word,means,note\n小卖部,便利店,\n店,|,\n".encode())
    assert refused.value.fields[0].pointer == "/lines/3/means"


def test_a_csv_that_cannot_be_cut_is_refused() -> None:
    huge = "x" * 200_000
    with pytest.raises(BadFile) as refused:
        read_file(ImportKind.SYNONYMS, f"word,means,note\n店,{huge},\n".encode())
    assert refused.value.fields[0].code == "bad_csv"


@pytest.mark.parametrize("word", ["！！", "…", "㍿" * 20])
def test_a_synonym_that_no_search_could_look_for_is_a_fault(word: str) -> None:
    with pytest.raises(BadFile):
        read_file(ImportKind.SYNONYMS, f"word,means,note\n{word},店,\n".encode())


def test_synonyms_that_a_search_reads_alike_are_one_word() -> None:
    rows = [SynonymRow(word=word, means=means) for word, means in (("ABC", "甲"), ("ａｂｃ", "乙"))]
    assert synonyms_of(rows) == {"abc": ["甲", "乙"]}


@pytest.mark.parametrize(
    "rows", ["43TCP0018,甲,1,1,none\n43TCP0018,乙,1,1,none", f"43TCP0018,甲,{10**20},1,none"]
)
def test_a_list_of_themes_that_could_not_be_published_is_refused_when_it_is_read(rows: str) -> None:
    with pytest.raises(BadFile):
        read_file(ImportKind.THEMES, f"code,title,region_guides,distinct_versions,guide\n{rows}\n".encode())


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "名" * 301},
        {"handling_name": "名" * 301},
        {"promised_limit": {"value": 10**6, "unit": "WORKDAY"}},
        {"promised_limit": {"value": -1, "unit": "WORKDAY"}},
        {"promised_limit": {"value": 5, "unit": "WEEK"}},
        {"materials": []},
        {"completeness": "guide"},
        {"instant_rule": "always"},
        {"implementing_uscc": "11990300LB00002306"},
        {"origin": {"kind": "compiled"}},
        {"division": "990000000000"},
        {"division": "430300"},
        {"code": "item 1"},
        {"min_trust_level": 5},
    ],
)
def test_an_item_that_breaks_a_rule_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        ItemDefinition.model_validate(document(**changes))


def test_a_promise_is_not_longer_than_the_law() -> None:
    limits: dict[str, Any] = {
        "statutory_limit": {"value": 5, "unit": "WORKDAY"},
        "promised_limit": {"value": 6, "unit": "WORKDAY"},
    }
    guide: dict[str, Any] = {
        "completeness": "guide",
        "item_type": "01",
        "conditions": [],
        "materials": [],
        "form_fields": [],
        "legal_basis": [],
        "visits": 0,
        "notify_promise": False,
    }
    with pytest.raises(ValueError, match="longer than the statutory"):
        ItemDefinition.model_validate(document(**guide, **limits))

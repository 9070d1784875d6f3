"""Questions, rules and plans on bundles made for these tests, and on paths drawn by Hypothesis."""

import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance_service.bundles.domain import DependencyMode, Necessity, Plan, SatisfactionKind
from acceptance_service.bundles.planning import (
    NotOfferedThere,
    PublishedBundle,
    PublishedItem,
    implementation_code,
    plan_bundle,
    plan_item,
)
from acceptance_service.bundles.savings import Figure, compute_savings
from acceptance_service.bundles.scenario import BadAnswers, follow
from acceptance_service.catalogue.bundle_definition import BundleDefinition, complete_paths
from acceptance_service.catalogue.definitions import ItemDefinition
from acceptance_service.catalogue.rules import faults, holds
from acceptance_service.departments.domain import KnownDepartment
from gov_rules.identifiers.item_code import parse_task_code

ORIGIN = {"kind": "compiled", "evidence": "synthetic"}
CITY, DISTRICT, ELSEWHERE = "430300000000", "430304000000", "420100000000"
USCC = {"HN-430300-SCJG": "11990300LB00002305", "HN-430304-SCJG": "11990000LB0000230M"}


def days(value: int) -> dict[str, Any]:
    return {"value": value, "unit": "WORKDAY"}


def department(code: str, division: str = CITY) -> KnownDepartment:
    return KnownDepartment(uuid.uuid5(uuid.NAMESPACE_URL, code), USCC[code], code, division, active=True)


def item(code: str, **changes: Any) -> ItemDefinition:
    return ItemDefinition.model_validate(
        {
            "code": code,
            "name": f"事项 {code}",
            "handling_name": None,
            "basic_code": "000131024000",
            "item_type": "01",
            "department": "HN-430300-SCJG",
            "department_origin": "guide",
            "division": CITY,
            "completeness": "guide",
            "statutory_limit": days(20),
            "promised_limit": days(10),
            "conditions": [],
            "materials": [material("M1"), material("M2", necessity="OPTIONAL")],
            "form_fields": [
                {"code": "name", "title": "名称", "schema": {"type": "string"}, "required": True},
                {"code": "area", "title": "面积", "schema": {"type": "number"}, "required": False},
            ],
            "legal_basis": [],
            "visits": 1,
            "notify_promise": False,
            "result": {"name": "许可证", "licence_type_code": None},
            "min_trust_level": 2,
            "instant_rule": None,
            "origin": ORIGIN,
            "element_origins": {},
            **changes,
        }
    )


def link_only(code: str) -> ItemDefinition:
    whole = item(code).model_dump(exclude_none=True, by_alias=True)
    dropped = (
        "statutory_limit",
        "promised_limit",
        "conditions",
        "materials",
        "form_fields",
        "legal_basis",
        "visits",
        "result",
    )
    lean = {key: value for key, value in whole.items() if key not in dropped}
    return ItemDefinition.model_validate(
        {**lean, "handling_name": None, "instant_rule": None, "completeness": "link_only"}
    )


def material(code: str, **changes: Any) -> dict[str, Any]:
    return {
        "code": code,
        "title": f"材料 {code}",
        "necessity": "REQUIRED",
        "source": "APPLICANT",
        "medium": "ELECTRONIC",
        "submit_way": "ONLINE",
        "satisfied_by": [],
        **changes,
    }


def question(code: str, *values: str, **changes: Any) -> dict[str, Any]:
    return {
        "code": code,
        "title": code,
        "kind": "single",
        "options": [{"value": one, "label": one} for one in values],
        "origin": ORIGIN,
        **changes,
    }


def bundle_document(**changes: Any) -> dict[str, Any]:
    region = {"lead_department": "HN-430300-SCJG", "cooperating": [], "service_points": []}
    return {
        "code": "BUNDLE1",
        "title": "开店“一件事”",
        "state": "in_review",
        "division": CITY,
        "lead_department": "HN-430300-SCJG",
        "regions": [
            {"division": CITY, **region},
            {"division": DISTRICT, **region, "lead_department": "HN-430304-SCJG"},
        ],
        "promised_limit": days(12),
        "reform": {"visits_before": 4, "visits_after": 0},
        "charged": False,
        "conditions": [],
        "scenario": {
            "questions": [
                question("food", "no", "some"),
                question("scale", "small", "large", when={"eq": ["food", "some"]}),
                question("extras", "sign", "dog", kind="multi", min_choices=0),
            ]
        },
        "items": [
            {"item": "ITEM-LICENCE", "order": 1, "promised_limit": days(2), "origin": ORIGIN},
            {
                "item": "ITEM-FOOD",
                "order": 2,
                "promised_limit": days(8),
                "when": {"eq": ["food", "some"]},
                "origin": ORIGIN,
            },
            {
                "item": "ITEM-DOG",
                "order": 3,
                "promised_limit": days(5),
                "when": {"has": ["extras", "dog"]},
                "origin": ORIGIN,
            },
        ],
        "related_items": [],
        "materials": [
            material(
                "FORM", items=["*"], satisfied_by=[{"kind": "joint_form", "origin": ORIGIN}], origin=ORIGIN
            ),
            material(
                "LAYOUT",
                items=["ITEM-FOOD", "ITEM-DOG"],
                tolerated_in=["ITEM-DOG"],
                satisfied_by=[
                    {
                        "kind": "promise",
                        "promise": "layout_promise",
                        "when": {"eq": ["scale", "small"]},
                        "origin": ORIGIN,
                    }
                ],
                origin=ORIGIN,
            ),
            material("SIGN", items=[], when={"has": ["extras", "sign"]}, origin=ORIGIN),
        ],
        "form": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "name": {"title": "名称", "type": "string", "x-items": ["*"], "x-required": True},
                "kitchen": {
                    "title": "厨房面积",
                    "type": "number",
                    "x-items": ["ITEM-FOOD"],
                    "x-when": {"eq": ["scale", "large"]},
                    "x-required": True,
                },
                "dog_name": {
                    "title": "犬名",
                    "type": "string",
                    "x-items": ["ITEM-DOG"],
                    "x-required": False,
                },
            },
            "required": ["name"],
            "additionalProperties": False,
        },
        "sequence": [{"item": "ITEM-FOOD", "after": ["ITEM-LICENCE", "ITEM-DOG"], "origin": ORIGIN}],
        "source_flaws": [],
        "review": {"status": "draft", "reviewed_by": "catalogue administration", "note": "synthetic"},
        "origin": ORIGIN,
        "element_origins": {},
        **changes,
    }


def published(document: dict[str, Any] | None = None, **items: ItemDefinition) -> PublishedBundle:
    definition = BundleDefinition.model_validate(document or bundle_document())
    known = {"HN-430300-SCJG": department("HN-430300-SCJG")}
    return PublishedBundle(
        definition=definition,
        version=3,
        items={
            one.item: PublishedItem(items.get(one.item, item(one.item)), 1, known["HN-430300-SCJG"])
            for one in definition.items
        },
        departments=known | {"HN-430304-SCJG": department("HN-430304-SCJG", DISTRICT)},
    )


def plan(division: str = CITY, **answers: str | list[str]) -> Plan:
    return plan_bundle(published(), division=division, answers=answers)


def test_only_selected_items_are_planned() -> None:
    assert [one.item_code for one in plan(food="no", extras=[]).items] == ["ITEM-LICENCE"]
    chosen = plan(food="some", scale="small", extras=["dog"])
    assert [one.item_code for one in chosen.items] == ["ITEM-LICENCE", "ITEM-FOOD", "ITEM-DOG"]


def test_an_item_waits_for_selected_items_only() -> None:
    food = plan(food="some", scale="small", extras=[]).items[1]
    assert food.depends_on == ("ITEM-LICENCE",)
    assert food.dependency_mode is DependencyMode.ALL
    assert plan(food="some", scale="small", extras=["dog"]).items[1].depends_on == (
        "ITEM-LICENCE",
        "ITEM-DOG",
    )


def test_the_bundle_states_the_promised_limit_and_the_item_the_statutory_one() -> None:
    food = plan(food="some", scale="small", extras=[]).items[1]
    assert food.promised_limit is not None
    assert food.promised_limit.value == 8
    assert food.statutory_limit is not None
    assert food.statutory_limit.value == 20


def test_a_plan_without_all_answers_says_which_are_missing() -> None:
    assert plan().questions_unanswered == ("food", "extras")
    assert plan(food="some").questions_unanswered == ("scale", "extras")
    assert plan(food="no", extras=[]).complete


def test_the_form_holds_the_fields_that_apply_and_requires_those_that_are_needed() -> None:
    small = plan(food="some", scale="small", extras=[]).form_schema
    assert list(small["properties"]) == ["name"]
    large = plan(food="some", scale="large", extras=["dog"]).form_schema
    assert list(large["properties"]) == ["name", "kitchen", "dog_name"]
    assert large["required"] == ["name", "kitchen"]
    assert "x-when" not in large["properties"]["kitchen"]
    assert large["properties"]["name"]["x-items"] == ["ITEM-LICENCE", "ITEM-FOOD", "ITEM-DOG"]


def test_a_material_of_several_items_is_asked_for_once() -> None:
    layouts = [
        one for one in plan(food="some", scale="large", extras=["dog"]).materials if one.code == "LAYOUT"
    ]
    assert len(layouts) == 1
    assert layouts[0].items == ("ITEM-FOOD", "ITEM-DOG")


def test_a_material_of_no_item_belongs_to_the_application() -> None:
    sign = plan(food="no", extras=["sign"]).materials[-1]
    assert (sign.code, sign.items) == ("SIGN", ())
    assert "SIGN" not in [one.code for one in plan(food="no", extras=[]).materials]


def test_tolerance_names_the_items_that_accept_without_the_material() -> None:
    by_code = {one.code: one for one in plan(food="some", scale="small", extras=["dog"]).materials}
    assert by_code["LAYOUT"].tolerance_allowed
    assert by_code["LAYOUT"].tolerated_in == ("ITEM-DOG",)
    assert not {one.code: one for one in plan(food="some", scale="small", extras=[]).materials}[
        "LAYOUT"
    ].tolerance_allowed


def test_what_replaces_a_material_may_depend_on_the_answers() -> None:
    small = plan(food="some", scale="small", extras=[])
    assert small.promises == ("layout_promise",)
    large = plan(food="some", scale="large", extras=[])
    assert large.promises == ()
    form = next(one for one in large.materials if one.code == "FORM")
    assert [one.kind for one in form.satisfied_by] == [SatisfactionKind.JOINT_FORM]


def test_the_nearest_region_names_the_departments() -> None:
    city, district = plan(food="no", extras=[]), plan(DISTRICT, food="no", extras=[])
    assert city.lead_department_id == department("HN-430300-SCJG").department_id
    assert district.lead_department_id == department("HN-430304-SCJG").department_id
    assert district.items[0].department_id == department("HN-430304-SCJG").department_id
    street = plan("430304001000", food="no", extras=[])
    assert street.items[0].department_id == district.items[0].department_id


def test_a_bundle_is_not_offered_outside_its_regions() -> None:
    with pytest.raises(NotOfferedThere) as refused:
        plan(ELSEWHERE, food="no", extras=[])
    assert refused.value.fields[0].pointer == "/division"


@pytest.mark.parametrize(
    ("answers", "pointer", "code"),
    [
        ({"colour": "red"}, "/answers/colour", "unknown_question"),
        ({"food": "much"}, "/answers/food", "unknown_option"),
        ({"food": ["no"]}, "/answers/food", "one_answer"),
        ({"food": "no", "scale": "small"}, "/answers/scale", "question_not_asked"),
        ({"scale": "small"}, "/answers/scale", "question_not_asked"),
        ({"extras": "dog"}, "/answers/extras", "several_answers"),
        ({"extras": ["dog", "dog"]}, "/answers/extras", "repeated_option"),
        ({"extras": ["cat"]}, "/answers/extras", "unknown_option"),
    ],
)
def test_an_answer_that_does_not_fit_is_pointed_at(answers: dict[str, Any], pointer: str, code: str) -> None:
    with pytest.raises(BadAnswers) as refused:
        plan(**answers)
    assert [(one.pointer, one.code) for one in refused.value.fields] == [(pointer, code)]


def test_a_multiple_choice_needs_its_least_number_of_options() -> None:
    document = bundle_document()
    document["scenario"]["questions"][2] = question("extras", "sign", "dog", kind="multi")
    questions = BundleDefinition.model_validate(document).scenario.questions
    with pytest.raises(BadAnswers):
        follow(questions, {"food": "no", "extras": []})


def test_a_single_item_is_planned_by_its_own_guide() -> None:
    alone = PublishedItem(item("ITEM-FOOD"), 4, department("HN-430300-SCJG"))
    planned = plan_item(alone, division=DISTRICT)
    assert planned.bundle_code is None
    assert planned.items[0].item_version == 4
    assert [(one.code, one.necessity) for one in planned.materials] == [
        ("M1", Necessity.REQUIRED),
        ("M2", Necessity.OPTIONAL),
    ]
    assert planned.form_schema["required"] == ["name"]


def test_an_item_handled_across_the_province_takes_applications_from_there() -> None:
    local = PublishedItem(item("ITEM-FOOD"), 1, department("HN-430300-SCJG"))
    with pytest.raises(NotOfferedThere):
        plan_item(local, division="430100000000")
    province_wide = PublishedItem(item("ITEM-FOOD", cross_region="2"), 1, department("HN-430300-SCJG"))
    assert plan_item(province_wide, division="430100000000").items[0].division == CITY


def test_credit_exempt_materials_may_follow_later() -> None:
    alone = PublishedItem(
        item("ITEM-FOOD", materials=[material("M1", necessity="CREDIT_EXEMPT")]),
        1,
        department("HN-430300-SCJG"),
    )
    (only,) = plan_item(alone, division=CITY).materials
    assert (only.necessity, only.tolerance_allowed, only.tolerated_in) == (
        Necessity.REQUIRED,
        True,
        ("ITEM-FOOD",),
    )


@pytest.mark.parametrize(
    ("changes", "tail"),
    [
        ({}, "000131024000"),
        ({"basic_code": None, "local_basic_code": "430131056W00"}, "430131056W00"),
        ({"basic_code": None, "code": "HN-430300-43TCP0018-05"}, "43TCP0018050"),
        ({"basic_code": None, "code": "1J-5100-00019-511602000000"}, "1J5100000195"),
    ],
)
def test_the_implementation_code_is_valid_whatever_the_source_numbers(
    changes: dict[str, Any], tail: str
) -> None:
    code = implementation_code(
        item(changes.pop("code", "ITEM-FOOD"), **changes), department("HN-430300-SCJG")
    )
    assert code.endswith(tail)
    assert parse_task_code(code, allow_local_tail=True).level == 3


def figure(figures: tuple[Figure, ...], measure: str) -> Figure:
    return next(one for one in figures if one.measure == measure)


def test_savings_compare_the_single_items_with_the_bundle() -> None:
    bundle = published()
    chosen = plan_bundle(bundle, division=CITY, answers={"food": "some", "scale": "small", "extras": []})
    figures = compute_savings(bundle, chosen).figures
    assert [(one.measure, one.before, one.after, one.saved) for one in figures] == [
        ("applications", 2, 1, 1),
        ("materials", 2, 2, 0),
        ("form_fields", 4, 1, 3),
        ("working_days", 20, 12, 8),
        ("visits", 2, 0, 2),
    ]


def test_what_the_catalogue_lacks_is_null_and_named() -> None:
    bundle = published(None, **{"ITEM-LICENCE": link_only("ITEM-LICENCE")})
    chosen = plan_bundle(bundle, division=CITY, answers={"food": "some", "scale": "small", "extras": []})
    materials = figure(compute_savings(bundle, chosen).figures, "materials")
    assert materials.before is None
    assert materials.saved is None
    assert (materials.before_known, materials.lacking_items) == (1, ("ITEM-LICENCE",))
    assert any("缺少" in note for note in materials.notes)


def test_without_a_stated_number_of_visits_none_is_made_up() -> None:
    bundle = published(bundle_document(reform={}))
    chosen = plan_bundle(bundle, division=CITY, answers={"food": "no", "extras": []})
    visits = figure(compute_savings(bundle, chosen).figures, "visits")
    assert (visits.before, visits.after, visits.saved) == (1, None, None)


OPTIONS = {
    "one": (frozenset({"a", "b"}), False),
    "two": (frozenset({"x", "y", "z"}), True),
}
LEAVES = st.one_of(
    st.sampled_from(["a", "b"]).map(lambda value: {"eq": ["one", value]}),
    st.lists(st.sampled_from(["a", "b"]), min_size=1, unique=True).map(lambda some: {"in": ["one", some]}),
    st.sampled_from(["x", "y", "z"]).map(lambda value: {"has": ["two", value]}),
)
RULES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda some: {"all": some}),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: {"any": some}),
        inner.map(lambda one: {"not": one}),
    ),
    max_leaves=12,
)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "one": st.sampled_from(["a", "b"]),
        "two": st.lists(st.sampled_from(["x", "y", "z"]), unique=True),
    },
)


@given(RULES, ANSWERS)
def test_not_turns_every_rule_around(rule: dict[str, Any], answers: dict[str, Any]) -> None:
    assert holds({"not": rule}, answers) is not holds(rule, answers)


@given(RULES, RULES, ANSWERS)
def test_all_and_any_follow_de_morgan(
    left: dict[str, Any], right: dict[str, Any], answers: dict[str, Any]
) -> None:
    neither = holds({"not": {"any": [left, right]}}, answers)
    assert neither is holds({"all": [{"not": left}, {"not": right}]}, answers)


@given(LEAVES)
def test_what_was_not_answered_equals_nothing(leaf: dict[str, Any]) -> None:
    assert not holds(leaf, {})


@given(RULES)
def test_rules_of_the_language_have_no_faults(rule: dict[str, Any]) -> None:
    assert list(faults(rule, OPTIONS)) == []


@pytest.mark.parametrize(
    "rule",
    [
        {},
        [],
        "eq",
        {"eq": ["one", "a"], "in": ["one", ["a"]]},
        {"xor": []},
        {"all": []},
        {"eq": ["one"]},
        {"eq": ["one", "c"]},
        {"eq": ["two", "x"]},
        {"has": ["one", "a"]},
        {"in": ["one", "a"]},
        {"in": ["one", []]},
        {"eq": ["three", "a"]},
        {"not": {"eq": ["one", 5]}},
    ],
)
def test_a_faulty_rule_is_found(rule: object) -> None:
    assert list(faults(rule, OPTIONS))


@given(st.integers(min_value=0, max_value=10_000))
def test_every_complete_path_gives_a_complete_plan(number: int) -> None:
    bundle = published()
    paths = list(complete_paths(bundle.definition))
    answers = paths[number % len(paths)]
    chosen = plan_bundle(bundle, division=CITY, answers=answers)
    codes = [one.item_code for one in chosen.items]
    assert chosen.complete
    assert codes
    assert all(set(one.depends_on) <= set(codes) for one in chosen.items)
    assert all(set(one.items) <= set(codes) for one in chosen.materials)
    assert set(chosen.form_schema["required"]) <= chosen.form_schema["properties"].keys()

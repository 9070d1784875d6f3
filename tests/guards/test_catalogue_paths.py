"""Whatever a citizen answers, a bundle gives a sensible plan: the rules of data/catalogue/schema/rules.md, tried."""

import itertools
import json
import random
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

CATALOGUE = Path(__file__).resolve().parents[2] / "data" / "catalogue"
BUNDLES = sorted(path.stem for path in (CATALOGUE / "bundles").glob("*.json"))
ALL_ITEMS = ["*"]
PATH_LIMIT = 5_000
SEED = 20260718

Answers = dict[str, Any]


@cache
def bundle(code: str) -> Any:
    return json.loads((CATALOGUE / "bundles" / f"{code}.json").read_text(encoding="utf-8"))


@cache
def items() -> dict[str, Any]:
    lines = (CATALOGUE / "items" / "hunan.jsonl").read_text(encoding="utf-8").splitlines()
    return {row["code"]: row for row in map(json.loads, lines)}


def holds(rule: Any, answers: Answers) -> bool:
    """The meaning of a rule, written independently of the service that uses it."""
    [(operator, operand)] = rule.items()
    if operator == "all":
        return all(holds(part, answers) for part in operand)
    if operator == "any":
        return any(holds(part, answers) for part in operand)
    if operator == "not":
        return not holds(operand, answers)
    question, value = operand
    if operator == "eq":
        return bool(answers.get(question) == value)
    if operator == "in":
        return answers.get(question) in value
    assert operator == "has"
    return value in answers.get(question, ())


def applies(row: Any, answers: Answers, key: str = "when") -> bool:
    return key not in row or holds(row[key], answers)


def choices(question: Any) -> list[Any]:
    values = tuple(option["value"] for option in question["options"])
    if question["kind"] == "single":
        return list(values)
    return subsets(values, question.get("min_choices", 1))


@cache
def subsets(values: tuple[str, ...], least: int) -> list[Any]:
    sizes = range(least, len(values) + 1)
    return [frozenset(some) for size in sizes for some in itertools.combinations(values, size)]


def walk(questions: list[Any], answers: Answers) -> Iterator[Answers]:
    if not questions:
        yield answers
        return
    question, rest = questions[0], questions[1:]
    if not applies(question, answers):
        yield from walk(rest, answers)
        return
    for choice in choices(question):
        yield from walk(rest, {**answers, question["code"]: choice})


def random_walk(questions: list[Any], chance: random.Random) -> Answers:
    answers: Answers = {}
    for question in questions:
        if applies(question, answers):
            answers[question["code"]] = chance.choice(choices(question))
    return answers


@cache
def paths(code: str) -> list[Answers]:
    """Every complete set of answers, or a seeded sample when there are more than the limit."""
    questions = bundle(code)["scenario"]["questions"]
    every = list(itertools.islice(walk(questions, {}), PATH_LIMIT + 1))
    if len(every) <= PATH_LIMIT:
        return every
    chance = random.Random(SEED)
    return [random_walk(questions, chance) for _ in range(PATH_LIMIT)]


def selected_items(document: Any, answers: Answers) -> list[str]:
    return [link["item"] for link in document["items"] if applies(link, answers)]


def selected_materials(document: Any, answers: Answers) -> list[str]:
    chosen = set(selected_items(document, answers))
    return [
        row["title"]
        for row in document["materials"]
        if needed(row["items"], chosen) and applies(row, answers)
    ]


def needed(wanted: list[str], chosen: set[str]) -> bool:
    return wanted == ALL_ITEMS or not wanted or bool(chosen & set(wanted))


def required_fields(document: Any, answers: Answers) -> set[str]:
    chosen = set(selected_items(document, answers))
    return {
        code
        for code, field in document["form"]["properties"].items()
        if field["x-required"] and needed(field["x-items"], chosen) and applies(field, answers, "x-when")
    }


def rules_in(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"when", "x-when"}:
                yield value
            yield from rules_in(value)
    elif isinstance(node, list):
        for value in node:
            yield from rules_in(value)


def leaves(rule: Any) -> Iterator[tuple[str, str, list[str]]]:
    [(operator, operand)] = rule.items()
    if operator in {"all", "any"}:
        for part in operand:
            yield from leaves(part)
    elif operator == "not":
        yield from leaves(operand)
    else:
        question, value = operand
        yield operator, question, value if isinstance(value, list) else [value]


@pytest.mark.parametrize("code", BUNDLES)
def test_rules_use_questions_and_options_that_exist(code: str) -> None:
    document = bundle(code)
    questions = {question["code"]: question for question in document["scenario"]["questions"]}
    assert len(questions) == len(document["scenario"]["questions"])
    for rule in rules_in(document):
        for operator, question, values in leaves(rule):
            assert (operator == "has") == (questions[question]["kind"] == "multi"), rule
            assert set(values) <= {option["value"] for option in questions[question]["options"]}, rule


@pytest.mark.parametrize("code", BUNDLES)
def test_a_question_depends_on_earlier_questions_only(code: str) -> None:
    earlier: set[str] = set()
    for question in bundle(code)["scenario"]["questions"]:
        for rule in rules_in(question):
            assert {name for _, name, _ in leaves(rule)} <= earlier
        earlier.add(question["code"])


@pytest.mark.parametrize("code", BUNDLES)
def test_every_question_decides_something(code: str) -> None:
    document = bundle(code)
    used = {name for rule in rules_in(document) for _, name, _ in leaves(rule)}
    assert {question["code"] for question in document["scenario"]["questions"]} <= used


@pytest.mark.parametrize("code", BUNDLES)
def test_every_path_selects_an_item_and_every_item_has_a_path(code: str) -> None:
    document = bundle(code)
    reached: set[str] = set()
    for answers in paths(code):
        chosen = selected_items(document, answers)
        assert chosen, answers
        reached |= set(chosen)
    assert reached == {link["item"] for link in document["items"]}


@pytest.mark.parametrize("code", BUNDLES)
def test_every_material_and_every_field_is_asked_on_some_path(code: str) -> None:
    document = bundle(code)
    materials: set[str] = set()
    fields: set[str] = set()
    for answers in paths(code):
        materials |= set(selected_materials(document, answers))
        fields |= required_fields(document, answers)
    assert materials == {row["title"] for row in document["materials"]}
    required = {name for name, field in document["form"]["properties"].items() if field["x-required"]}
    assert fields == required


@pytest.mark.parametrize("code", BUNDLES)
def test_references_inside_a_bundle_resolve(code: str) -> None:
    document = bundle(code)
    linked = {link["item"] for link in document["items"]}
    assert len(linked) == len(document["items"])
    assert linked <= set(items())
    assert {row["item"] for row in document["related_items"]} <= set(items()) - linked
    for row in document["materials"]:
        assert row["items"] == ALL_ITEMS or set(row["items"]) <= linked, row["code"]
        assert set(row.get("tolerated_in", [])) <= linked, row["code"]
    for field in document["form"]["properties"].values():
        assert field["x-items"] == ALL_ITEMS or set(field["x-items"]) <= linked
    for step in document["sequence"]:
        assert {step["item"], *step["after"]} <= linked
    assert len({row["code"] for row in document["materials"]}) == len(document["materials"])


@pytest.mark.parametrize("code", BUNDLES)
def test_the_sequence_has_no_circle(code: str) -> None:
    waits = {step["item"]: step["after"] for step in bundle(code)["sequence"]}
    assert len(waits) == len(bundle(code)["sequence"])
    order = list(TopologicalSorter(waits).static_order())
    assert set(order) == {*waits, *itertools.chain.from_iterable(waits.values())}


@pytest.mark.parametrize("code", BUNDLES)
def test_the_form_is_a_schema_and_requires_only_what_always_applies(code: str) -> None:
    document = bundle(code)
    Draft202012Validator.check_schema(document["form"])
    always = set(document["form"]["required"])
    assert always
    assert all(always <= required_fields(document, answers) for answers in paths(code))


@pytest.mark.parametrize("code", BUNDLES)
def test_a_result_that_is_a_licence_finds_its_surface_in_the_form(code: str) -> None:
    document = bundle(code)
    types = json.loads((CATALOGUE.parent / "licence_types.json").read_text(encoding="utf-8"))["licence_types"]
    surfaces = {
        row["code"]: {
            field["source"].removeprefix("form.")
            for field in row["surface_fields"]
            if field["required"] and (field["source"] or "").startswith("form.")
        }
        for row in types
    }
    for answers in paths(code):
        fields = required_fields(document, answers)
        for item in selected_items(document, answers):
            licence_type = items()[item].get("result", {}).get("licence_type_code")
            if licence_type is not None:
                assert surfaces[licence_type] <= fields, item


def test_items_in_the_open_find_their_surface_in_their_own_form() -> None:
    types = json.loads((CATALOGUE.parent / "licence_types.json").read_text(encoding="utf-8"))["licence_types"]
    for row in items().values():
        licence_type = row.get("result", {}).get("licence_type_code")
        if licence_type is None or "form_fields" not in row:
            continue
        surface = next(each for each in types if each["code"] == licence_type)["surface_fields"]
        wanted = {field["source"] for field in surface if field["required"] and field["source"]}
        offered = {f"form.{field['code']}" for field in row["form_fields"]}
        assert {source for source in wanted if source.startswith("form.")} <= offered, row["code"]


def handling_names(answers: Answers) -> list[str]:
    return sorted(items()[code]["handling_name"] for code in selected_items(bundle("43TCP0018"), answers))


SMALL_SHOP: Answers = {
    "entity_type": "individual",
    "food_scope": "bulk",
    "food_scale": "small",
    "public_place": "no",
    "public_gathering": "no",
    "premises": "same",
    "signboard": "no",
    "hand_in": "self",
}
COMPANY: Answers = {
    "entity_type": "company",
    "food_scope": "bulk",
    "public_place": "yes",
    "public_gathering": "yes",
    "fire_procedure": "promise",
    "premises": "different",
    "signboard": "yes",
    "hand_in": "agent",
}


def test_a_small_shop_needs_the_small_licence_and_six_materials() -> None:
    assert handling_names(SMALL_SHOP) == ["《食品小经营许可证》新办", "企业营业执照信息核验"]
    materials = selected_materials(bundle("43TCP0018"), SMALL_SHOP)
    assert len(materials) == 6
    assert "小食品店经营场所设备布局" in materials
    assert not [title for title in materials if "招牌" in title or "消防" in title or "代理人" in title]


def test_a_company_with_a_sign_and_an_agent_needs_four_items_and_all_but_one_material() -> None:
    assert handling_names(COMPANY) == sorted(
        [
            "《食品经营许可证》新办",
            "公共场所卫生许可（新发）",
            "企业营业执照信息核验",
            "公众聚集场所投入使用、营业前消防安全检查（告知承诺制流程）",
        ]
    )
    document = bundle("43TCP0018")
    left_out = {row["title"] for row in document["materials"]} - set(selected_materials(document, COMPANY))
    assert left_out == {"小食品店经营场所设备布局"}


def test_the_two_food_licences_and_the_two_fire_procedures_exclude_each_other() -> None:
    for answers in paths("43TCP0018"):
        names = handling_names(answers)
        assert not {"《食品经营许可证》新办", "《食品小经营许可证》新办"} <= set(names)
        assert sum("消防安全检查" in name for name in names) <= 1


def test_the_licence_check_is_instant_and_everything_waits_for_it() -> None:
    document = bundle("43TCP0018")
    instant = [code for code in selected_items(document, COMPANY) if items()[code]["instant_rule"]]
    assert [items()[code]["instant_rule"] for code in instant] == ["business_licence_valid"]
    others = {link["item"] for link in document["items"]} - set(instant)
    assert {step["item"] for step in document["sequence"] if step["after"] == instant} == others


def test_an_identity_card_never_stands_in_for_an_absent_principal() -> None:
    document = bundle("43TCP0018")
    proof = next(row for row in document["materials"] if row["title"].endswith("身份证明"))
    assert [way["kind"] for way in proof["satisfied_by"] if applies(way, SMALL_SHOP)] == [
        "verified_profile_field",
        "licence",
    ]
    assert [way for way in proof["satisfied_by"] if applies(way, COMPANY)] == []

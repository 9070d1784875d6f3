"""Questions, plans and savings over HTTP, on the project's own catalogue."""

import httpx
import jsonschema
import pytest

STORE = "/acceptance/v1/bundles/43TCP0018"
SMALL_SHOP = {
    "entity_type": "individual",
    "food_scope": "bulk",
    "food_scale": "small",
    "public_place": "no",
    "public_gathering": "yes",
    "fire_procedure": "promise",
    "premises": "different",
    "signboard": "no",
    "hand_in": "self",
}
FOOD, FIRE, LICENCE = (
    "HN-430300-430131056W00-01",
    "HN-430300-000125049000-02",
    "HN-430300-43TCP0018-05",
)


async def test_the_questions_come_with_their_rules(catalogue_client: httpx.AsyncClient) -> None:
    questions = (await catalogue_client.get(f"{STORE}/questions")).json()["questions"]
    assert questions[0]["code"] == "entity_type"
    assert {"value": "individual", "label": "个体工商户"} in questions[0]["options"]
    assert next(one for one in questions if one["code"] == "fire_procedure")["when"]


async def test_a_small_shop_is_planned(catalogue_client: httpx.AsyncClient) -> None:
    answer = await catalogue_client.post(f"{STORE}/plan", json={"answers": SMALL_SHOP, "division": "430304"})
    plan = answer.json()
    assert plan["complete"]
    items = {one["item_code"]: one for one in plan["items"]}
    assert set(items) == {FOOD, FIRE, LICENCE}
    assert items[FOOD]["depends_on"] == [LICENCE]
    assert items[LICENCE]["instant"]
    assert items[FOOD]["department_name"] == "岳塘区市场监督管理局"
    materials = {one["code"]: one for one in plan["materials"]}
    assert materials["43TCP0018-M01"]["status"] == "WAIVED"
    assert materials["43TCP0018-M03"]["can_be_replaced_by"][0]["kind"] == "licence"
    jsonschema.Draft202012Validator.check_schema(plan["form_schema"])
    assert plan["form_schema"]["properties"]["operator_name"]["x-prefill"] == "licence.营业执照.名称"


async def test_an_answer_that_is_no_option_is_pointed_at(catalogue_client: httpx.AsyncClient) -> None:
    wrong = {"answers": {"entity_type": "robot", "colour": "red"}}
    answer = await catalogue_client.post(f"{STORE}/plan", json=wrong)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_answers")
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/answers/colour", "/answers/entity_type"]


async def test_items_that_do_not_serve_the_applicant_are_named(catalogue_client: httpx.AsyncClient) -> None:
    body = {"answers": SMALL_SHOP, "applicant_kind": "NATURAL_PERSON"}
    plan = (await catalogue_client.post(f"{STORE}/plan", json=body)).json()
    assert set(plan["not_for_applicant"]) <= {FOOD, FIRE, LICENCE}


async def test_a_single_item_is_planned_without_questions(catalogue_client: httpx.AsyncClient) -> None:
    answer = await catalogue_client.post("/acceptance/v1/items/HN-430300-000131024000-01/plan", json={})
    plan = answer.json()
    assert (plan["bundle_code"], plan["complete"], len(plan["items"])) == (None, True, 1)
    answers = await catalogue_client.post(
        "/acceptance/v1/items/HN-430300-000131024000-01/plan", json={"answers": {"a": "b"}}
    )
    assert answers.json()["code"] == "bad_answers"


async def test_an_item_without_guide_cannot_be_planned_alone(catalogue_client: httpx.AsyncClient) -> None:
    answer = await catalogue_client.post(f"/acceptance/v1/items/{LICENCE}/plan", json={})
    assert (answer.status_code, answer.json()["code"]) == (409, "guide_missing")


async def test_the_savings_stand_beside_the_figures_of_the_source(
    catalogue_client: httpx.AsyncClient,
) -> None:
    query = "&".join(f"answer={question}:{value}" for question, value in SMALL_SHOP.items())
    savings = (await catalogue_client.get(f"{STORE}/savings?{query}")).json()
    assert savings["reform"]["materials_before"] == 32
    assert (savings["reform"]["steps_before"], savings["reform"]["steps_after"]) == (4, 1)
    figures = {one["measure"]: one for one in savings["figures"]}
    assert (figures["applications"]["before"], figures["applications"]["after"]) == (3, 1)
    # The source has no guide of the licence check that every path needs: the sum is a lower bound.
    assert figures["materials"]["before"] is None
    assert figures["materials"]["lacking_items"] == [LICENCE]
    # On this path the bundle asks for one file more than the two known guides; the figures do not flatter.
    assert (figures["materials"]["before_known"], figures["materials"]["after"]) == (9, 11)
    assert (savings["materials_in_form"], savings["materials_replaceable"]) == (1, 4)
    assert figures["visits"]["after"] == 0
    same = await catalogue_client.post(f"{STORE}/savings", json={"answers": SMALL_SHOP})
    assert same.json() == savings


@pytest.mark.parametrize("parameter", ["answer=entity_type", "answer=:x", "answer="])
async def test_an_answer_parameter_without_value_is_refused(
    catalogue_client: httpx.AsyncClient, parameter: str
) -> None:
    answer = await catalogue_client.get(f"{STORE}/savings?{parameter}")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_answer_parameter")


async def test_a_division_without_the_bundle_is_refused(catalogue_client: httpx.AsyncClient) -> None:
    answer = await catalogue_client.post(f"{STORE}/plan", json={"division": "511602000000"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/division")
    impossible = await catalogue_client.post(f"{STORE}/plan", json={"division": "990000000000"})
    assert impossible.status_code == 422

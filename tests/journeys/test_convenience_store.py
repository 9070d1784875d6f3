"""「开办超市、便利店“一件事”」 through Envoy, with real tokens, PostgreSQL and JetStream."""

import pytest

from lianban_local.demo import applying
from lianban_local.demo.app import App
from lianban_local.demo.story import Story, convenience_store

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(420)]


@pytest.fixture(scope="module")
def told() -> list[Story]:
    """The story is walked once; each test looks at one side of it."""
    return []


@pytest.fixture
async def story(app: App, told: list[Story]) -> Story:
    if not told:
        told.append(await convenience_store(app))
    return told[0]


async def test_every_step_of_the_journey_was_taken(story: Story) -> None:
    assert len(story.steps) == 19


async def test_the_bundle_is_one_application_with_a_case_per_item(story: Story) -> None:
    assert story.application["number"].startswith("YJS430300")
    assert {case["item_name"] for case in story.application["cases"]} == {
        "企业营业执照信息核验",
        "《食品小经营许可证》新办",
        "公众聚集场所投入使用、营业前消防安全检查（告知承诺制流程）",
    }  # fmt: skip
    assert {case["status"] for case in story.application["cases"]} == {"FINISHED"}


async def test_what_the_government_holds_is_not_asked_for_again(story: Story) -> None:
    provisions = {one["code"]: one["provision"] for one in story.application["materials"]}
    assert provisions["43TCP0018-M13"] == "LICENCE"  # 营业执照
    assert provisions["43TCP0018-M14"] in ("PROFILE", "LICENCE")  # 经营者身份证明
    assert story.application["form"]["uscc"] == "92990102MA0000B231"


async def test_the_licence_check_was_decided_by_rule_and_waited_for(story: Story, app: App) -> None:
    check = next(case for case in story.application["cases"] if "核验" in case["item_name"])
    citizen = app.sign_in(app.account("citizen"), applying.SCOPE)
    seen = await citizen.get(f"/acceptance/v1/cases/{check['id']}")
    assert (seen["instant"], seen["outcome"]) == (True, "APPROVED")
    others = [item for item in story.plan["items"] if item["item_code"] != check["item_code"]]
    assert all(item["depends_on"] == [check["item_code"]] for item in others)


async def test_each_granted_item_has_exactly_one_licence(story: Story) -> None:
    granted = [case for case in story.application["cases"] if case["licence_identifier"]]
    assert len(granted) == 2
    assert {one["identifier"] for one in story.licences} == {case["licence_identifier"] for case in granted}
    assert all(one["identifier"].startswith("1.2.156.3005.2.") for one in story.licences)


async def test_a_shown_licence_is_verified_once(story: Story) -> None:
    assert story.checked["valid"] is True
    assert story.checked["status"] == "NORMAL"
    assert story.checked_again["valid"] is False


async def test_progress_is_readable_without_login(story: Story) -> None:
    assert story.progress["status_label"] == "已办结"


async def test_a_bad_review_became_a_rectification_with_a_clock(story: Story) -> None:
    assert story.rectification["review_id"] == story.review["id"]
    assert story.rectification["outcome"] == "RECTIFIED"
    assert story.rectification["rectify_deadline"]["calendar_version"]


async def test_the_complaint_found_its_department(story: Story) -> None:
    assert story.ticket["department_name"] == "湘潭市市场监督管理局"
    assert story.ticket["solved"] is True


async def test_each_step_is_in_the_inbox(story: Story) -> None:
    templates = {message["template"] for message in story.inbox}
    assert {"APPLICATION_SUBMITTED", "CASE_APPROVED", "LICENCE_ISSUED"} <= templates
    about = {message["about_id"] for message in story.inbox}
    assert story.application["id"] in about


async def test_the_savings_stand_beside_the_figures_of_the_source(story: Story) -> None:
    assert story.savings["reform"] == {
        "steps_before": 4, "steps_after": 1, "limit_before": 30, "limit_after": 13,
        "materials_before": 32, "materials_after": 15, "visits_before": 4, "visits_after": 0,
    }  # fmt: skip
    figures = {one["measure"]: one for one in story.savings["figures"]}
    assert (figures["applications"]["before"], figures["applications"]["after"]) == (3, 1)
    assert figures["materials"]["lacking_items"], "what the catalogue lacks is said, not invented"


async def test_the_history_of_the_application_verifies(story: Story, app: App) -> None:
    citizen = app.sign_in(app.account("citizen"), applying.SCOPE)
    history = await citizen.get(f"/acceptance/v1/applications/{story.application['id']}/timeline")
    assert history["intact"] is True


async def test_the_citizen_gets_a_copy_of_what_every_service_holds(story: Story, app: App) -> None:
    scope = f"{applying.SCOPE} identity:me.manage gateway:me.export"
    told = await app.sign_in(app.account("citizen"), scope).get("/gateway/v1/me/export")
    assert told["missing"] == []
    parts = {name: part["data"] for name, part in told["parts"].items()}
    assert parts["identity"]["person"]["username"] == app.account("citizen").username
    assert story.ticket["number"] in {one["number"] for one in parts["hotline"]["items"]}
    assert story.review["id"] in {
        one["review"]["id"] for one in parts["evaluation"]["items"] if one["review"]
    }

"""「我要开便利店」: the journey that must always work, step by step, through the edge."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from lianban_local.demo import applying, handling
from lianban_local.demo.app import App, SignedIn
from lianban_local.demo.handling import decide, until
from lianban_local.demo.partner import partner_system

BUNDLE = "43TCP0018"
XIANGTAN = "430300000000"
# A sole trader with a small shop in a public building, no sign, handed in by the trader.
ANSWERS: dict[str, str | list[str]] = {
    "entity_type": "individual",
    "food_scope": "bulk",
    "food_scale": "small",
    "public_place": "no",
    "public_gathering": "yes",
    "fire_procedure": "promise",
    "premises": "same",
    "signboard": "no",
    "hand_in": "self",
}
HOTLINE_SCOPE = "openid offline_access hotline:tickets.create hotline:tickets.read hotline:tickets.dispatch hotline:tickets.call-back"
SUPERVISOR_SCOPE = "openid offline_access evaluation:rectifications.read evaluation:rectifications.supervise acceptance:cards.read"


@dataclass
class Step:
    """What happened, who did it, with what result, in how many milliseconds."""

    what: str
    who: str
    result: str
    milliseconds: float


@dataclass
class Story:
    """What the journey has made so far, for those who check it."""

    steps: list[Step] = field(default_factory=list)
    plan: dict[str, Any] = field(default_factory=dict)
    savings: dict[str, Any] = field(default_factory=dict)
    application: dict[str, Any] = field(default_factory=dict)
    licences: list[dict[str, Any]] = field(default_factory=list)
    checked: dict[str, Any] = field(default_factory=dict)
    checked_again: dict[str, Any] = field(default_factory=dict)
    review: dict[str, Any] = field(default_factory=dict)
    rectification: dict[str, Any] = field(default_factory=dict)
    ticket: dict[str, Any] = field(default_factory=dict)
    inbox: list[dict[str, Any]] = field(default_factory=list)
    progress: dict[str, Any] = field(default_factory=dict)


Tell = Callable[[Step], None]


class Teller:
    """Runs steps and tells each as it ends."""

    def __init__(self, story: Story, tell: Tell) -> None:
        self._story = story
        self._tell = tell

    @asynccontextmanager
    async def step(self, what: str, who: str) -> AsyncIterator[list[str]]:
        """The body puts its result into the list."""
        result: list[str] = []
        began = time.perf_counter()
        yield result
        step = Step(what, who, " ".join(result), (time.perf_counter() - began) * 1000)
        self._story.steps.append(step)
        self._tell(step)


async def convenience_store(app: App, tell: Tell = lambda _step: None) -> Story:
    """From the first search to the hotline. Raises: Refused, NotHeard, TimeoutError."""
    story = Story()
    teller = Teller(story, tell)
    citizen = app.sign_in(app.account("citizen"), applying.SCOPE)
    holder = await _sign_in_and_choose(app, citizen, story, teller)
    async with partner_system(app.machine("xiangtan-fire")) as fire:
        handed = await _apply(citizen, holder, teller)
        await _departments_decide(app, handed, teller, lambda: _is_in(fire.decided, handed, "消防"))
        await _finish(app, citizen, handed, story, teller)
    await _show_licence(app, citizen, story, teller)
    await _review(app, citizen, story, teller)
    await _call_hotline(app, citizen, story, teller)
    async with teller.step("查看站内消息 read the inbox", "市民") as said:
        story.inbox = (await citizen.get("/identity/v1/me/inbox?limit=100"))["items"]
        said.append(f"{len(story.inbox)} 条消息，最新：{story.inbox[0]['title']}")
    return story


async def _sign_in_and_choose(app: App, citizen: SignedIn, story: Story, teller: Teller) -> dict[str, str]:
    async with teller.step("登录 sign in (OIDC, PKCE)", "市民") as said:
        me = await citizen.get("/identity/v1/me")
        trader = (await citizen.get("/identity/v1/me/represented"))["items"][0]
        said.append(f"{me['name']}，实名 {me['trust_level']} 级，代表 {trader['name']}")
    async with teller.step("用自己的话搜索「开小卖部」 search", "任何人") as said:
        found = await app.anonymous("POST", "/acceptance/v1/catalogue/search", {"text": "开小卖部"})
        said.append(f"第一条：{found['items'][0]['title']}")
    async with teller.step("情形引导 answer the questions", "市民") as said:
        questions = await app.anonymous("GET", f"/acceptance/v1/bundles/{BUNDLE}/questions")
        story.plan = await applying.plan_of(citizen, BUNDLE, XIANGTAN, ANSWERS, "LEGAL_PERSON")
        said.append(
            f"{len(questions['questions'])} 问 → {len(story.plan['items'])} 个事项、"
            f"{len(story.plan['form_schema']['properties'])} 个字段、{len(story.plan['materials'])} 份材料"
        )
    async with teller.step("一件事省了什么 savings", "任何人") as said:
        story.savings = await app.anonymous(
            "POST",
            f"/acceptance/v1/bundles/{BUNDLE}/savings",
            {"answers": ANSWERS, "applicant_kind": "LEGAL_PERSON"},
        )
        said.append("，".join(_saving(one) for one in story.savings["figures"]))
    return {"kind": "LEGAL_PERSON", "id": trader["legal_person_id"]}


def _saving(figure: dict[str, Any]) -> str:
    """What the catalogue lacks is said with ≥: the figure before is a lower bound."""
    before = figure["before"] if figure["before"] is not None else f"≥{figure['before_known']}"
    return f"{figure['label']} {before}→{figure['after']}"


async def _apply(citizen: SignedIn, holder: dict[str, str], teller: Teller) -> applying.Handed:
    async with teller.step("一张表单、一次提交 fill in and hand in", "市民") as said:
        handed = await applying.apply(citizen, BUNDLE, XIANGTAN, ANSWERS, holder, in_addition=True)
        said.append(
            f"{handed.number}：上传 {handed.uploads} 份，免交 {handed.waived} 份，{len(handed.cases)} 个办件"
        )
    return handed


def _case(cases: list[dict[str, Any]], word: str) -> dict[str, Any]:
    return next(case for case in cases if word in case["item_name"])


def _is_in(decided: list[str], handed: applying.Handed, word: str) -> bool:
    return _case(handed.cases, word)["id"] in decided


async def _application(citizen: SignedIn, handed: applying.Handed) -> dict[str, Any]:
    application: dict[str, Any] = await citizen.get(f"/acceptance/v1/applications/{handed.id}")
    return application


async def _departments_decide(
    app: App, handed: applying.Handed, teller: Teller, fire_has_decided: Callable[[], bool]
) -> None:
    citizen = app.sign_in(app.account("citizen"), applying.SCOPE)

    def status_of(word: str) -> Callable[[dict[str, Any]], bool]:
        return lambda application: _case(application["cases"], word)["status"] in handling.DECIDED

    async with teller.step("营业执照信息核验：秒批 decided at once by rule", "系统") as said:
        seen = await until(lambda: _application(citizen, handed), status_of("核验"), "the instant decision")
        said.append(_case(seen["cases"], "核验")["status_label"])
    async with teller.step("食品小经营许可：审批 decide in the inbox", "市场监管部门（网页收件箱）") as said:
        approver = app.sign_in(
            next(one for one in app.run.accounts if one.username == "market.approver"),
            handling.APPROVER_SCOPE,
        )
        case_id = _case(handed.cases, "食品")["id"]
        await until(
            lambda: _application(citizen, handed),
            lambda seen: _case(seen["cases"], "食品")["status"] != "WAITING",
            "the release of the food case",
        )
        await decide(approver, case_id)
        case = await approver.get(f"/acceptance/v1/cases/{case_id}")
        said.append(f"{case['status_label']}，承诺 {case['promised_due']['on']} 前办结")
    async with teller.step("消防安全检查（告知承诺） decide by webhook", "消防部门（自有系统）") as said:
        await until(_soon(fire_has_decided), bool, "the fire department's own system")
        said.append("收到 webhook、验签、取件、办结")


def _soon(look: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def looked() -> bool:
        return look()

    return looked


async def _finish(app: App, citizen: SignedIn, handed: applying.Handed, story: Story, teller: Teller) -> None:
    async with teller.step("全部办结，证照入库 all cases end, licences issued", "系统") as said:
        story.application = await until(
            lambda: _application(citizen, handed),
            lambda seen: seen["status"] == "FINISHED",
            "the end of the application",
        )
        identifiers = [
            case["licence_identifier"] for case in story.application["cases"] if case["licence_identifier"]
        ]
        said.append(f"{story.application['status_label']}，{len(identifiers)} 张证照")
    async with teller.step("凭查询号看进度（不登录） progress without login", "任何人") as said:
        body = {"query_number": handed.query_number, "query_password": handed.query_password}
        story.progress = await app.anonymous("POST", "/acceptance/v1/progress", body)
        said.append(story.progress["status_label"])


async def _show_licence(app: App, citizen: SignedIn, story: Story, teller: Teller) -> None:
    identifiers = {case["licence_identifier"] for case in story.application["cases"]}
    async with teller.step("亮证 show the licence as a QR", "市民") as said:
        held = (await citizen.get("/certificates/v1/licences?limit=100"))["items"]
        story.licences = [one for one in held if one["identifier"] in identifiers]
        food = next(one for one in story.licences if "食品" in one["type_name"])
        shown = await citizen.post(f"/certificates/v1/licences/{food['id']}/present")
        said.append(f"{food['type_name']}，二维码至 {shown['expires_at'][11:19]} 有效")
    async with teller.step("扫码核验 verify", "消防部门") as said:
        fire = app.machine("xiangtan-fire")
        story.checked = await fire.post("/certificates/v1/verifications", {"code": shown["code"]})
        said.append(f"{story.checked['status_label']}：{story.checked['type_name']}")
    async with teller.step("同一个码再扫一次 the same code again", "任何人") as said:
        story.checked_again = await app.anonymous(
            "POST", "/certificates/v1/verifications/public", {"code": shown["code"]}
        )
        said.append("无效" if not story.checked_again["valid"] else "有效（不应当）")


async def _review(app: App, citizen: SignedIn, story: Story, teller: Teller) -> None:
    case = _case(story.application["cases"], "食品")
    async with teller.step("差评 a bad review", "市民") as said:

        async def invited() -> list[dict[str, Any]]:
            listed = (await citizen.get("/evaluation/v1/invitations?limit=100"))["items"]
            return [one for one in listed if one["contact_id"] == case["id"]]

        invitation = (await until(invited, bool, "the invitation"))[0]
        body = {
            "invitation_id": invitation["id"],
            "grade": "DISSATISFIED",
            "reasons": ["207"],
            "text": "没有材料样本。",
        }
        story.review = await citizen.post("/evaluation/v1/reviews", body)
        said.append(story.review["grade_label"])
    async with teller.step("差评整改 rectification", "市场监管部门、督办") as said:
        approver = app.sign_in(
            next(one for one in app.run.accounts if one.username == "market.approver"),
            handling.APPROVER_SCOPE,
        )

        async def opened() -> list[dict[str, Any]]:
            listed = (await approver.get("/evaluation/v1/rectifications?limit=100"))["items"]
            return [one for one in listed if one["review_id"] == story.review["id"]]

        rectification = (await until(opened, bool, "the rectification"))[0]
        path = f"/evaluation/v1/rectifications/{rectification['id']}"
        await _with_etag(approver, path, "assign", {"assignee": "戊审批"})
        await _with_etag(approver, path, "contact", {"message": "我们正在核实，三日内答复。"})
        await _with_etag(approver, path, "answer", {"answer": "已在办事指南中补充材料样本。"})
        supervisor = app.sign_in(app.account("supervisor"), SUPERVISOR_SCOPE)
        await _with_etag(supervisor, path, "close", {"outcome": "RECTIFIED"})
        story.rectification = await supervisor.get(path)
        said.append(
            f"{story.rectification['stage_label']}，期限 {story.rectification['rectify_deadline']['due_date']}"
        )


async def _with_etag(caller: SignedIn, path: str, action: str, body: dict[str, Any] | None = None) -> Any:
    """A deciding change, resting on the version as it is now."""
    etag = (await caller.call("GET", path)).headers["etag"]
    return await caller.post(f"{path}/{action}", body, headers={"If-Match": etag})


async def _call_hotline(app: App, citizen: SignedIn, story: Story, teller: Teller) -> None:
    case = _case(story.application["cases"], "食品")
    async with teller.step("拨打 12345 complain about the delay", "市民") as said:
        body = {
            "kind": "COMPLAINT",
            "content": "我在市场监督管理局办理食品经营许可，开办便利店的手续拖了很久才办结，请督促改进。",
            "division": "430300",
            "case_id": case["id"],
        }
        ticket = await citizen.post("/hotline/v1/tickets", body)
        said.append(f"工单 {ticket['number']}")
    path = f"/hotline/v1/tickets/{ticket['id']}"
    agent = app.sign_in(app.account("hotline_agent"), HOTLINE_SCOPE)
    async with teller.step("智能建议并派单 suggest and dispatch", "坐席") as said:
        suggestion = await agent.get(f"{path}/suggestion")
        department = suggestion["departments"][0]
        await _with_etag(agent, path, "dispatch", {"department_id": department["department_id"]})
        said.append(f"{suggestion['topics'][0]['name']} → {department['name']}")
    async with teller.step("签收、答复、办结、回访 sign, answer, close, call back", "承办单位、坐席") as said:
        handler = app.sign_in(
            next(one for one in app.run.accounts if one.username == "market.approver"),
            handling.APPROVER_SCOPE,
        )
        await _with_etag(handler, path, "sign")
        await _with_etag(handler, path, "answer", {"answer": "已核实并优化流程，向您致歉。"})
        await _with_etag(agent, path, "close")
        await _with_etag(agent, path, "call-back", {"reached": True, "solved": True, "satisfied": True})
        story.ticket = await citizen.get(path)
        said.append(story.ticket["status_label"])

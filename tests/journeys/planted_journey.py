"""A journey on which a person leaves their numbers wherever a person, or a careless client, can leave them."""

import asyncio
import json
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.journeys.test_every_theme import answers_to

from lianban_local.authority.register import NaturalPerson, population
from lianban_local.demo import applying, people, story
from lianban_local.demo.app import App, SignedIn
from lianban_local.demo.handling import APPROVER_SCOPE, until
from lianban_local.demo.partner import partner_system
from lianban_local.runfile import Account

SCOPE = f"{applying.SCOPE} identity:me.manage"


@dataclass(frozen=True)
class Left:
    """What the journey made, to look for."""

    person_id: str
    application_id: str
    project_no: str
    ticket_id: str
    delivery_id: str


def planted_person() -> NaturalPerson:
    """Somebody of the register who is not in the demonstration's cast: nothing of theirs was there before."""
    known = {one["name"] for one in people.CAST["citizens"]}
    return next(one for one in population().natural_persons[5:] if one.name not in known)


async def walk(app: App, messages: Path, theme: str, division: str) -> Left:
    """Signs up, verifies, applies, complains, and has all of it handled. Raises: Refused, NotHeard, TimeoutError."""
    person = planted_person()
    citizen = app.sign_in(await _sign_up(app, messages, person), SCOPE)
    await _verify(citizen, person)
    citizen.forget()  # the level is in tokens from the next one on
    me = await citizen.get("/identity/v1/me")
    application = await _apply(app, citizen, person, theme, division)
    ticket = await _complain(app, citizen, person)
    await _careless(app, citizen, person)
    return Left(
        person_id=me["person_id"],
        application_id=application["id"],
        project_no=application["cases"][0]["project_no"],
        ticket_id=ticket,
        delivery_id=await _tell_partner(app),
    )


async def _sign_up(app: App, messages: Path, person: NaturalPerson) -> Account:
    account = Account(role="citizen", username="planted", password=people.PASSWORD)
    await app.anonymous("POST", "/identity/v1/phone-codes", {"phone": person.phone})
    give_up = time.monotonic() + 60
    while not (sent := await asyncio.to_thread(_sent_to, person.phone, messages)):
        assert time.monotonic() < give_up, "no text message"
        await asyncio.sleep(0.1)
    code = re.search(r"\d{6}", json.loads(sent[-1])["text"])
    assert code is not None
    body = {"username": account.username, "password": account.password, "phone": person.phone}
    wrong = await _send(app, "POST", "/identity/v1/persons", json={**body, "code": "000000"})
    assert wrong in (409, 422)
    await app.anonymous("POST", "/identity/v1/persons", {**body, "code": code.group()})
    return account


def _sent_to(phone: str, messages: Path) -> list[str]:
    return [line for line in messages.read_text().splitlines() if phone in line]


async def _verify(citizen: SignedIn, person: NaturalPerson) -> None:
    path = "/identity/v1/me/real-name"
    token = {"Authorization": f"Bearer {await citizen.token()}", "Idempotency-Key": "a-misspelt-name"}
    wrong = await citizen.http.post(
        f"{citizen.run.base_url}{path}", json={"name": "张三丰", "id_number": person.id_number}, headers=token
    )
    assert wrong.status_code == 422, wrong.text
    await citizen.post(path, {"name": person.name, "id_number": person.id_number})


async def _apply(
    app: App, citizen: SignedIn, person: NaturalPerson, theme: str, division: str
) -> dict[str, Any]:
    """With the numbers in the form, in names of files and, handed in, before the eyes of the department."""
    holder = {"kind": "NATURAL_PERSON", "id": (await citizen.get("/identity/v1/me"))["person_id"]}
    answers = await answers_to(app, theme, "NATURAL_PERSON")
    draft = await applying.begin(citizen, theme, division, answers, holder)
    plan = await applying.plan_of(citizen, theme, division, answers, "NATURAL_PERSON")
    await applying.upload(citizen, f"{person.name}身份证{person.id_number}-{person.phone}")
    await applying.complete(citizen, draft["id"], _with_numbers(plan, person))
    receipt = await applying.hand_in(citizen, draft["id"])
    application: dict[str, Any] = receipt["application"]
    await app.anonymous(
        "POST",
        "/acceptance/v1/progress",
        {"query_number": receipt["query_number"], "query_password": receipt["query_password"]},
    )
    await citizen.post(f"/acceptance/v1/applications/{draft['id']}/withdraw")
    return {**application, "id": draft["id"], "cases": receipt["cases"]}


def _with_numbers(plan: dict[str, Any], person: NaturalPerson) -> dict[str, Any]:
    """The same plan, whose form takes the person's numbers as the given answer wherever a text is free enough."""
    text = f"请联系{person.phone}，证件{person.id_number}"

    def given(field: dict[str, Any]) -> dict[str, Any]:
        if field.get("type") != "string" or {"enum", "const", "format"} & set(field):
            return field
        for candidate in (person.id_number, person.phone, text):
            fits = "pattern" not in field or re.search(field["pattern"], candidate)
            if fits and field.get("minLength", 0) <= len(candidate) <= field.get("maxLength", 10_000):
                return {**field, "default": candidate}
        return field

    schema = plan["form_schema"]
    properties = {name: given(field) for name, field in schema["properties"].items()}
    return {**plan, "form_schema": {**schema, "properties": properties, "required": list(properties)}}


async def _complain(app: App, citizen: SignedIn, person: NaturalPerson) -> str:
    """A ticket whose text names the numbers, searched by telephone, disclosed, answered with the number in it."""
    text = f"本人{person.name}，身份证{person.id_number}，电话{person.phone}，我在市场监督管理局办理食品经营许可，手续拖了很久，请督促改进。"
    body = {"kind": "COMPLAINT", "content": text, "division": "430300", "caller_phone": person.phone}
    ticket = await citizen.post("/hotline/v1/tickets", body)
    path = f"/hotline/v1/tickets/{ticket['id']}"
    agent = app.sign_in(app.account("hotline_agent"), story.HOTLINE_SCOPE)
    found = await agent.post("/hotline/v1/tickets/search", {"caller_phone": person.phone})
    assert ticket["id"] in {one["id"] for one in found}
    disclosed = await agent.post(f"{path}/caller-disclosures", {"purpose": "CALL_BACK"})
    assert person.phone in disclosed.values()
    suggestion = await agent.get(f"{path}/suggestion")
    department = suggestion["departments"][0]
    assert department["name"] == "湘潭市市场监督管理局", "the department of the approver below"
    await _with_etag(agent, path, "dispatch", {"department_id": department["department_id"]})
    approver = next(one for one in app.run.accounts if one.username == "market.approver")
    handler = app.sign_in(approver, APPROVER_SCOPE)
    await _with_etag(handler, path, "sign")
    await _with_etag(handler, path, "answer", {"answer": f"已电话{person.phone}告知{person.name}。"})
    await _with_etag(agent, path, "close")
    result = {"reached": True, "solved": False, "satisfied": False}
    await _with_etag(agent, path, "call-back", result)
    await _review(citizen, f"请回电{person.phone}，证件{person.id_number}。")
    return str(ticket["id"])


async def _review(citizen: SignedIn, text: str) -> None:
    """A bad review with the numbers in its words."""
    invitations = await until(
        lambda: citizen.get("/evaluation/v1/invitations"), lambda seen: bool(seen["items"]), "an invitation"
    )
    review = {"invitation_id": invitations["items"][0]["id"], "grade": "DISSATISFIED", "reasons": ["207"]}
    await citizen.post("/evaluation/v1/reviews", {**review, "text": text})


async def _tell_partner(app: App) -> str:
    """A department's system is called once, which is logged with the delivery's id."""
    machine = app.machine("xiangtan-fire")
    async with partner_system(machine):
        webhook = (await machine.get("/gateway/v1/webhooks"))["items"][-1]
        deliveries = await machine.get(f"/gateway/v1/webhooks/{webhook['id']}/deliveries")
        return str(deliveries["items"][0]["id"])


async def _with_etag(who: SignedIn, path: str, action: str, body: Any = None) -> None:
    etag = (await who.call("GET", path)).headers["etag"]
    await who.post(f"{path}/{action}", body, headers={"If-Match": etag})


async def _careless(app: App, citizen: SignedIn, person: NaturalPerson) -> None:
    """What a careless client sends: numbers in fields, queries and hints where they do not belong; each is refused."""
    token = {"Authorization": f"Bearer {await citizen.token()}"}
    for number in (person.id_number, person.phone):
        ticket = {"kind": number, "content": number, "division": number, "unknown": number}
        assert await _send(app, "POST", "/hotline/v1/tickets", json=ticket, headers=token) == 422
        assert await _send(app, "POST", "/identity/v1/phone-codes", json={"phone": f"{number}0"}) == 422
        assert await _send(app, "GET", f"/acceptance/v1/items?q={number}&phone={number}") in (200, 422)
        assert await _send(app, "POST", "/acceptance/v1/catalogue/search", json={"text": number}) == 200
        licence = {"code": number}
        assert await _send(app, "POST", "/certificates/v1/verifications/public", json=licence) in (200, 422)
        hint = urlencode({"client_id": citizen.client.client_id, "login_hint": number, "state": number})
        assert await _send(app, "GET", f"/identity/authorize?{hint}") in (302, 303, 400)
        form = {"grant_type": number, "username": number, "client_id": number}
        assert await _send(app, "POST", "/identity/token", data=form) in (400, 401)
        assert (
            await _send(app, "GET", "/identity/v1/me", headers={"Authorization": f"Bearer {number}"}) == 401
        )


async def _send(app: App, method: str, path: str, **more: Any) -> int:
    answer = await app.http.request(method, f"{app.run.base_url}{path}", **more)
    return answer.status_code

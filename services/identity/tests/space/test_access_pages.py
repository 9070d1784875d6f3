"""Who looked at my data, in the browser."""

import re

import httpx
import pytest
from services.identity.tests.factories import HEALTH_USCC, PASSWORD, Citizen, Population
from services.identity.tests.flows import Application, hidden

from identity_service.db import Transactions
from identity_service.organisation.domain import Role
from identity_service.pages.wording import texts
from identity_service.profiles.domain import PURPOSE_LABELS
from identity_service.profiles.handlers import note_access
from service_common.clock import utc_now

PAGE = "/identity/account/accesses"


async def enter(browser: httpx.AsyncClient, who: Citizen) -> httpx.Response:
    form = await browser.get(PAGE, follow_redirects=True)
    typed = {**hidden(form), "username": who.username, "password": PASSWORD}
    return await browser.post("/identity/login", data=typed, follow_redirects=True)


async def test_a_person_sees_every_look_at_the_own_data_and_at_nobody_else_s(
    client: httpx.AsyncClient, population: Population, transactions: Transactions
) -> None:
    person, neighbour = await population.person(), await population.person(1)
    hall = await population.department(HEALTH_USCC)
    async with transactions() as session:
        for number in range(21):
            await note_access(
                session, subject_id=person.id, client_id="acceptance", department_id=hall.id,
                attributes=["name", "phone"], purpose="PREFILL", reference=f"A-{number}", now=utc_now(),
            )  # fmt: skip
        await note_access(
            session, subject_id=neighbour.id, client_id="acceptance", department_id=None, attributes=["name"],
            purpose="<b>audit</b>", reference=None, now=utc_now(),
        )  # fmt: skip
    newest = await enter(client, person)
    assert newest.url.path == PAGE
    assert (hall.name in newest.text, "办事材料预填" in newest.text) == (True, True)
    assert "姓名 · 手机号" in newest.text
    assert "政务数据共享条例" in newest.text
    assert re.findall(r"A-\d+", newest.text) == [f"A-{number}" for number in range(20, 0, -1)]
    older = re.search(rf'href="({PAGE}\?before=[^"]+)"', newest.text)
    assert older
    last = await client.get(older[1], headers={"accept-language": "en"})
    assert re.findall(r"A-\d+", last.text) == ["A-0"]
    assert "Filling in forms for you" in last.text
    assert "Acceptance desk" in last.text
    client.cookies.clear()
    other = await enter(client, neighbour)
    assert "&lt;b&gt;audit&lt;/b&gt;" in other.text
    assert "A-" not in other.text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_purpose_has_its_words(language: str) -> None:
    assert {f"accesses.purpose_{name.lower()}" for name in PURPOSE_LABELS} <= set(texts(language))


async def test_who_was_never_looked_at_is_told_so(client: httpx.AsyncClient, population: Population) -> None:
    page = await enter(client, await population.person(verified=False))
    assert "还没有人查看过您的信息" in page.text


async def test_staff_have_no_such_page(client: httpx.AsyncClient, population: Population) -> None:
    app = Application(client, await population.app(), "http://127.0.0.1:1/callback")
    await app.tokens(await population.staff(Role.CLERK), "openid")
    for page in (PAGE, "/identity/account/closing"):
        assert (await client.get(page)).headers["location"] == "/identity/account"
        assert page not in (await client.get("/identity/account")).text

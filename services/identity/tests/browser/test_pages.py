"""Every page, in both languages and sizes, on a narrow screen: no barrier that axe-core finds (WCAG 2.2 AA), no violation of the
policy, nothing that scrolls sideways."""

from functools import partial
from urllib.parse import urlencode, urlsplit

import httpx
import pyotp
from playwright.async_api import Browser, Page, expect
from services.identity.tests.browser.conftest import Onlooker
from services.identity.tests.factories import CALLBACK, PASSWORD, Population
from services.identity.tests.flows import Application

from identity_service.accounts.models import Account
from identity_service.db import Transactions
from identity_service.inbox.domain import Template
from identity_service.inbox.handlers import Notice, tell
from identity_service.organisation.domain import Role
from identity_service.relying_parties.domain import Authentication, GrantType
from service_common.clock import utc_now
from service_common.db import new_id

PARTNER = "https://partner.example"


def authorize(app: Application, scope: str = "openid profile phone", **more: str) -> str:
    return f"/identity/authorize?{urlencode(app.request(scope, **more))}"


async def test_logging_in_has_no_barriers(
    onlooker: Onlooker, population: Population, transactions: Transactions
) -> None:
    officer = await population.staff(Role.CLERK)
    await onlooker.look_at("login", "/identity/login", title="登录")

    async def wrong_password(page: Page) -> None:
        await onlooker.log_in("nobody.here", "wrong")
        await page.wait_for_selector("#problem")

    await onlooker.look("login-wrong", wrong_password, title="错误：登录")

    async def to_second_factor(_: Page) -> None:
        await onlooker.log_in(officer.username, PASSWORD)
        await onlooker.page.wait_for_selector("#code")

    async def wrong_code(page: Page) -> None:
        await to_second_factor(page)
        await onlooker.fill(code="000000")
        await page.wait_for_selector("#problem")

    await onlooker.look("second-factor", to_second_factor, title="动态口令")
    await onlooker.look("second-factor-wrong", wrong_code, title="错误：动态口令")
    await to_second_factor(onlooker.page)
    await onlooker.fill(code=pyotp.TOTP(officer.totp_secret).now())
    await onlooker.page.wait_for_url("**/identity/account")
    await onlooker.look_at("account-staff", "/identity/account", title="我的账号")
    await onlooker.look_at("second-factor-change", "/identity/account/second-factor", title="更换动态口令")
    newcomer = await population.staff(Role.CLERK)
    async with transactions() as session:
        (await session.get_one(Account, newcomer.id)).must_change_password = True
    await onlooker.page.context.clear_cookies()
    await onlooker.log_in(newcomer.username, PASSWORD)
    await onlooker.fill(code=pyotp.TOTP(newcomer.totp_secret).now())
    await onlooker.page.wait_for_selector("#password")
    asked = urlsplit(onlooker.page.url)
    await onlooker.look_at("new-password", f"{asked.path}?{asked.query}", title="设置新密码")
    assert onlooker.found == []


async def test_consent_account_and_logout_have_no_barriers(
    onlooker: Onlooker, population: Population, client: httpx.AsyncClient
) -> None:
    person = await population.person()
    registered = await population.client(frontchannel_logout_uri=f"{PARTNER}/out")
    partner = Application(client, registered, CALLBACK)
    # Somebody else's browser, and this one.
    await Application(client, await population.app(), "http://127.0.0.1:1/callback").tokens(person)
    await onlooker.log_in(person.username, PASSWORD)
    await onlooker.page.wait_for_url("**/identity/account")
    await onlooker.look_at("consent", authorize(partner), title="授权确认")
    await onlooker.page.click("button[value=allow]")
    await onlooker.page.wait_for_url(f"{CALLBACK}?code=*")
    await onlooker.look_at("account", "/identity/account", title="我的账号")
    await onlooker.look_at("passkeys", "/identity/passkeys", title="通行密钥")
    await onlooker.look_at("password", "/identity/account/password", title="修改密码")
    await onlooker.look_at("phone", "/identity/account/phone", title="更换手机号")
    await onlooker.look_at("accesses", "/identity/account/accesses", title="谁查看过我的信息")
    await onlooker.look_at("closing", "/identity/account/closing", title="注销账号")
    await onlooker.look_at("logout", "/identity/logout", title="退出登录")
    await onlooker.page.click("main button")
    await expect(onlooker.page.locator("iframe")).to_have_count(1)
    assert onlooker.partner_pages[-1] == "/out"
    await onlooker.look_at("signed-out", "/identity/logout", title="您已退出登录")
    await onlooker.look_at("error", "/identity/authorize?client_id=nobody", title="错误：无法继续")
    assert onlooker.found == []


async def test_raising_the_level_has_no_barriers(
    onlooker: Onlooker, population: Population, client: httpx.AsyncClient
) -> None:
    person = await population.person(verified=False)
    app = Application(client, await population.app(), "http://127.0.0.1:1/callback")
    await onlooker.log_in(person.username, PASSWORD)
    await onlooker.page.wait_for_url("**/identity/account")
    asked = authorize(app, "openid", acr_values="urn:lianban:loa:4")
    await onlooker.look_at("verification", asked, title="提升实名等级")

    async def wrong_name(page: Page) -> None:
        await page.goto(onlooker.origin + asked)
        await onlooker.fill(name="某某某", id_number="990301190001011234")
        await page.wait_for_selector("#problem")

    await onlooker.look("verification-wrong", wrong_name, title="错误：提升实名等级")
    await population.verify(person)
    await onlooker.look_at("verification-two", asked, title="提升实名等级")
    assert onlooker.found == []


async def test_waiting_for_the_app_has_no_barriers_and_goes_on_by_itself(
    onlooker: Onlooker, chromium: Browser, population: Population
) -> None:
    person = await population.person()

    async def wait(page: Page) -> None:
        await page.goto(f"{onlooker.origin}/identity/login")
        await page.click('form[action="/identity/login/scan"] button')
        await page.wait_for_selector("[data-state]")

    await onlooker.look("login-scan", wait, title="扫码登录")
    elsewhere = await chromium.new_context(locale="zh-CN")
    phone = await elsewhere.new_page()
    await phone.goto(f"{onlooker.origin}/identity/login")
    await phone.fill("#username", person.username)
    await phone.fill("#password", PASSWORD)
    await phone.press("#password", "Enter")
    await phone.wait_for_url("**/identity/account")
    code = await onlooker.page.inner_text("strong.code")
    await phone.goto(f"{onlooker.origin}/identity/device?user_code={code}")
    await phone.click("button[value=allow]")
    await onlooker.page.wait_for_url("**/identity/account")
    await elsewhere.close()
    assert onlooker.found == []


async def test_signing_up_and_a_forgotten_password_have_no_barriers(onlooker: Onlooker) -> None:
    async def to_code(page: Page, path: str) -> None:
        await page.goto(onlooker.origin + path)
        await onlooker.fill(phone="19900007777")
        await page.wait_for_selector("#code")

    async def wrong(page: Page, path: str, **typed: str) -> None:
        await to_code(page, path)
        await onlooker.fill(**typed, code="12", password="seven rivers and a ferry")
        await page.wait_for_selector("#problem")

    sign_up, forgotten = "/identity/sign-up", "/identity/forgotten-password"
    await onlooker.look_at("sign-up", sign_up, title="注册")
    await onlooker.look("sign-up-code", partial(to_code, path=sign_up))
    await onlooker.look(
        "sign-up-wrong", partial(wrong, path=sign_up, username="li.newcomer"), title="错误：注册"
    )
    await onlooker.look_at("forgotten", forgotten, title="重置密码")
    await onlooker.look("forgotten-code", partial(to_code, path=forgotten))
    await onlooker.look("forgotten-wrong", partial(wrong, path=forgotten), title="错误：重置密码")
    assert onlooker.found == []


async def test_the_inbox_has_no_barriers(
    onlooker: Onlooker, population: Population, transactions: Transactions
) -> None:
    person = await population.person()
    device = {"device": "Firefox · Linux", "place": "203.0.113.*", "at": "2026-01-01 08:00"}
    async with transactions() as session:
        notice = Notice(new_id(), Template.NEW_DEVICE, "ACCOUNT", person.id, device, utc_now())
        await tell(session, [person.id], notice)
    await onlooker.log_in(person.username, PASSWORD)
    await onlooker.page.wait_for_url("**/identity/account")
    await onlooker.look_at("inbox", "/identity/inbox", title="消息")
    assert onlooker.found == []


async def test_letting_in_a_device_has_no_barriers(
    onlooker: Onlooker, population: Population, client: httpx.AsyncClient
) -> None:
    registered = await population.client(
        name="政务服务大厅自助终端",
        authentication=Authentication.NONE,
        grant_types=[GrantType.DEVICE_CODE, GrantType.REFRESH_TOKEN],
        redirect_uris=[],
        scopes=["*"],
        first_party=True,
    )
    kiosk = Application(client, registered, "")

    async def ask() -> str:
        answer = await kiosk.call("/identity/device_authorization", scope="openid profile")
        return f"/identity/device?user_code={answer.json()['user_code']}"

    await onlooker.look_at("device", "/identity/device", title="登录其他设备")
    await onlooker.look_at("device-wrong", "/identity/device?user_code=12", title="错误：登录其他设备")
    waiting = await ask()
    await onlooker.look_at("device-scan", waiting, title="扫码登录")
    person = await population.person()
    await onlooker.log_in(person.username, PASSWORD)
    await onlooker.page.wait_for_url("**/identity/account")
    await onlooker.look_at("device-confirm", waiting, title="确认登录其他设备")

    async def refuse(page: Page) -> None:
        await page.goto(onlooker.origin + await ask())
        await page.click("button[value=deny]")
        await page.wait_for_selector("button", state="detached")

    await onlooker.look("device-done", refuse, title="已拒绝登录")
    assert onlooker.found == []


async def test_somebody_logs_in_by_keyboard_alone_without_javascript(
    chromium: Browser, origin: str, population: Population, client: httpx.AsyncClient
) -> None:
    person = await population.person()
    back = f"{origin}/callback"
    partner = Application(client, await population.client(redirect_uris=[back]), back)
    context = await chromium.new_context(java_script_enabled=False, locale="zh-CN")
    page = await context.new_page()
    await page.goto(origin + authorize(partner))

    async def press(*keys: str) -> None:
        for key in keys:
            await page.keyboard.press(key)

    await press("Tab", "Tab", "Enter")  # past the way to the content: the other language
    await expect(page.locator("html[lang=en]")).to_have_count(1)
    await press("Tab", "Tab", "Tab", "Enter")  # large type
    await expect(page.locator("html.large[lang=en]")).to_have_count(1)
    await press("Tab", "Enter", "Tab")  # straight to the content, and into its form
    await expect(page.locator("#username")).to_be_focused()
    await page.keyboard.type(person.username)
    await press("Tab")
    await page.keyboard.type("not the password")
    await press("Enter")

    await expect(page.locator("[role=alert][autofocus]")).to_be_focused()
    await expect(page).to_have_title("Error: Log in – Lianban Unified identity")
    await press("Tab", "Enter", "Tab")
    await expect(page.locator("#password")).to_be_focused()
    await press("Shift+Tab")
    await page.keyboard.type(person.username)
    await press("Tab")
    await page.keyboard.type(PASSWORD)
    await press("Tab", "Space")

    await expect(page.locator("h1")).to_have_text("Allow access")
    await press("Tab", "Enter", "Tab", "Space")
    await page.wait_for_url(f"{back}?code=*")
    await context.close()


async def test_after_logging_out_the_browser_goes_back_once_the_frames_are_loaded(
    onlooker: Onlooker, population: Population, client: httpx.AsyncClient
) -> None:
    person = await population.person()
    registered = await population.client(frontchannel_logout_uri=f"{PARTNER}/out")
    app = Application(client, registered, CALLBACK)
    await onlooker.log_in(person.username, PASSWORD)
    await onlooker.page.wait_for_url("**/identity/account")
    await onlooker.page.goto(onlooker.origin + authorize(app, "openid"))
    await onlooker.page.click("button[value=allow]")
    await onlooker.page.wait_for_url(f"{CALLBACK}?code=*")
    code = httpx.URL(onlooker.page.url).params["code"]
    tokens = (await app.exchange(code)).json()
    onward = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": f"{PARTNER}/bye"}
    await onlooker.page.goto(f"{onlooker.origin}/identity/logout?{urlencode(onward)}")
    await onlooker.page.wait_for_url(f"{PARTNER}/bye")
    assert onlooker.partner_pages == ["/callback", "/out", "/bye"]
    assert onlooker.found == []

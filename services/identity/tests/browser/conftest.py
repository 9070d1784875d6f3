"""A real Chromium in front of the service, and somebody who looks at its pages closely."""

import asyncio
import contextlib
import os
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from fastapi import FastAPI
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Route, async_playwright
from services.identity.tests.npm_packages import installed_packages, need_tool

HERE = Path(__file__).parent
NARROW = 320  # WCAG 2.2 §1.4.10: as wide as 1280 pixels enlarged to 400 %
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_LEAST_PASSES = 10
_LOOK = """async ({ large, rules }) => {
    document.documentElement.classList.toggle("large", large);
    const { violations, passes } = await axe.run({
        runOnly: rules, resultTypes: ["violations"], preload: false, selectors: false,
    });
    return {
        lang: document.documentElement.lang,
        width: document.documentElement.scrollWidth,
        passes: passes.length,
        violations: violations.flatMap((rule) =>
            rule.nodes.map((node) => `${rule.id}: ${node.html} ${node.failureSummary}`)),
    };
}"""
_CONTRAST = """async (large) => {
    document.documentElement.classList.toggle("large", large);
    const { violations, passes } = await axe.run({
        runOnly: { type: "rule", values: ["color-contrast"] }, preload: false, selectors: false,
    });
    return {
        ground: getComputedStyle(document.body).backgroundColor,
        passes: passes.length,
        violations: violations.flatMap((rule) => rule.nodes.map((node) => `${node.html} ${node.failureSummary}`)),
    };
}"""
_TAGS = {"zh": "zh-CN", "en": "en"}
_SCREENSHOTS = os.environ.get("LIANBAN_SCREENSHOTS")

Visit = Callable[[Page], Awaitable[object]]


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for all tests."""
    found = shutil.which("chromium")
    need_tool(None if found else "Chromium is not installed", "pages were not looked at")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core."""
    return (installed_packages(HERE) / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


@pytest.fixture
async def origin(app: FastAPI) -> AsyncIterator[str]:
    """Where the service listens."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))
    server.capture_signals = contextlib.nullcontext  # type: ignore[assignment]  # signals are pytest's
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    await serving


class Onlooker:
    """Looks at each page in both languages and both sizes, on a narrow screen, and in the dark, and writes down what is wrong."""

    def __init__(self, context: BrowserContext, page: Page, origin: str, axe: str) -> None:
        self.context = context
        self.page = page
        self.origin = origin
        self._axe = axe
        self.found: list[str] = []
        self.partner_pages: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.found.append(f"{page.url}: {error}"))

    async def look(self, name: str, visit: Visit, *, title: str = "") -> None:
        """At what a visit leads to. ``title`` is what the Chinese one begins with."""
        for language, tag in _TAGS.items():
            await self.context.add_cookies(
                [{"name": "lianban_language", "value": language, "url": f"{self.origin}/identity"}]
            )
            await visit(self.page)
            if language == "zh" and not (await self.page.title()).startswith(title):
                self.found.append(f"{name}: titled {await self.page.title()}")
            await self.page.evaluate(self._axe)
            for size in ("normal", "large"):
                faults = await self._faults(tag, size)
                self.found += [f"{name} {language} {size}: {one}" for one in faults]
                if _SCREENSHOTS:
                    path = f"{_SCREENSHOTS}/{name}-{language}-{size}.png"
                    await self.page.screenshot(path=path, full_page=True)

            if language == "zh":
                await self._look_in_the_dark(name)

    async def _look_in_the_dark(self, name: str) -> None:
        """The colours alone differ, and they are the same in both languages."""
        await self.page.emulate_media(color_scheme="dark")
        for large in (False, True):
            seen: dict[str, Any] = await self.page.evaluate(_CONTRAST, large)
            self.found += [f"{name} dark large={large}: {one}" for one in seen["violations"]]
            if seen["passes"] != 1 or seen["ground"] == "rgb(238, 242, 246)":
                self.found.append(f"{name} dark large={large}: not dark, or nothing to look at: {seen}")
            if _SCREENSHOTS and not large:
                await self.page.screenshot(path=f"{_SCREENSHOTS}/{name}-dark.png", full_page=True)
        await self.page.emulate_media(color_scheme="light")

    async def look_at(self, name: str, path: str, *, title: str = "") -> None:
        await self.look(name, lambda page: page.goto(self.origin + path), title=title)

    async def fill(self, **typed: str) -> None:
        """Fills in the form and sends it."""
        for name, value in typed.items():
            await self.page.fill(f"#{name}", value)
        await self.page.press(f"#{list(typed)[-1]}", "Enter")

    async def log_in(self, username: str, password: str) -> None:
        await self.page.goto(f"{self.origin}/identity/login")
        await self.fill(username=username, password=password)

    async def _faults(self, tag: str, size: str) -> list[str]:
        """The sizes differ by the class alone: setting it here saves loading every page twice."""
        seen: dict[str, Any] = await self.page.evaluate(_LOOK, {"large": size == "large", "rules": _RULES})
        faults = list(seen["violations"])
        if seen["passes"] < _LEAST_PASSES:
            faults.append(f"axe-core found hardly anything to look at: {seen['passes']} rules")
        if seen["lang"] != tag:
            faults.append(f"shown as {seen['lang']}")
        if seen["width"] > NARROW:
            faults.append(f"scrolls sideways: {seen['width']} pixels")
        return faults

    async def answer_for_partner(self, route: Route) -> None:
        """The application of a partner, which is not there."""
        self.partner_pages.append(urlsplit(route.request.url).path)
        await route.fulfill(body="<!doctype html><title>partner</title>", content_type="text/html")

    def _hear(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.found.append(f"{self.page.url}: {message.text}")


@pytest.fixture
async def onlooker(chromium: Browser, origin: str, axe: str) -> AsyncIterator[Onlooker]:
    context = await chromium.new_context(viewport={"width": NARROW, "height": 640}, locale="zh-CN")
    onlooker = Onlooker(context, await context.new_page(), origin, axe)
    await context.route("https://partner.example/**", onlooker.answer_for_partner)
    yield onlooker
    await context.close()

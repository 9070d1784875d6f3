"""Pages that work in a network without CDN."""

import re
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from gateway.tests.conftest import Reply, Services

PAGES = ["/docs", "/docs/api", "/docs/events"]


@pytest.mark.parametrize("page", PAGES)
async def test_a_page_loads_nothing_from_elsewhere(anybody: httpx.AsyncClient, page: str) -> None:
    answer = await anybody.get(page)
    assert answer.status_code == 200
    assert 'lang="zh-CN"' in answer.text
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "default-src 'none'" in policy
    assert re.findall(r"<script(?![^>]*\bsrc=)", answer.text) == []
    loaded = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    assert loaded
    assert all(one.startswith("/") and not one.startswith("//") for one in loaded)
    for asset in {one for one in loaded if one.startswith("/docs/assets/")}:
        assert (await anybody.get(asset)).status_code == 200, asset


async def test_swagger_ui_can_show_openapi_3_1(anybody: httpx.AsyncClient) -> None:
    script = await anybody.get("/docs/assets/swagger-ui-bundle.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "isOAS31" in script.text
    assert "cdn" not in (await anybody.get("/docs/assets/start.js")).text


@pytest.mark.parametrize("name", ["other.js", "..%2Fpages.py", "%2e%2e%2f%2e%2e%2fetc%2fpasswd"])
async def test_only_the_portals_own_files_are_served(anybody: httpx.AsyncClient, name: str) -> None:
    assert (await anybody.get(f"/docs/assets/{name}")).status_code == 404


async def test_the_origin_leads_to_the_start_page(anybody: httpx.AsyncClient) -> None:
    answer = await anybody.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")


async def test_the_events_page_shows_every_field(anybody: httpx.AsyncClient) -> None:
    text = (await anybody.get("/docs/events")).text
    assert "gov.acceptance.case.submitted.v1" in text
    assert "<code>project_no</code>" in text


async def test_health_is_one_word_for_each_service(
    anybody: httpx.AsyncClient, services: "Services", reply: "type[Reply]"
) -> None:
    services.answers["/health/ready"] = reply(503, {"checks": {"database": False}})
    answer = (await anybody.get("/health")).json()
    assert answer["status"] == "degraded"
    assert set(answer["services"]) == {"identity", "acceptance", "certificates", "hotline", "evaluation"}
    assert set(answer["services"].values()) == {"degraded"}


async def test_health_asks_the_services_once_for_many_questions(
    anybody: httpx.AsyncClient, services: "Services", reply: "type[Reply]"
) -> None:
    services.answers["/health/ready"] = reply(200, {})
    for _ in range(10):
        assert (await anybody.get("/health")).json()["status"] == "ok"
    assert len([one for one in services.peer.asked if one.path == "/health/ready"]) == 5

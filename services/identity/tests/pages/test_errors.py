"""Errors outside of a page's own code: people see a page, programs a problem document, and nobody what went wrong inside."""

import httpx
import pytest
from fastapi import FastAPI
from structlog.testing import capture_logs

from identity_service.login import handlers
from identity_service.pages.errors import is_for_people

REQUEST = "0f8fad5b-d9cb-469f-a165-70867728950e"
HTML = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("path", "accepted", "page"),
    [
        ("/identity/login", HTML, True),
        ("/identity/login", "", True),
        ("/identity/nothing/here", HTML, True),
        ("/identity/login", "application/json", False),
        ("/identity/v1/me", HTML, False),
        ("/identity/token", "*/*", False),
        ("/identity/device_authorization", HTML, False),
        ("/identity/device", HTML, True),
        ("/health/ready", HTML, False),
    ],
)
def test_who_is_shown_a_page(path: str, accepted: str, page: bool) -> None:
    assert is_for_people(path, accepted) is page


async def fail(*_: object, **__: object) -> None:
    raise RuntimeError("a secret of the machine room")


async def test_an_unexpected_error_is_a_page_with_the_number_of_the_request_and_no_more(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handlers, "begin_interaction", fail)
    headers = {"accept": HTML, "x-request-id": REQUEST}
    with capture_logs() as logged:
        for language, sentence in (("zh-CN", "系统出现问题"), ("en", "Something went wrong on our side")):
            answer = await client.get("/identity/login", headers={**headers, "accept-language": language})
            assert answer.status_code == 500
            assert answer.headers["content-type"].startswith("text/html")
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert sentence in answer.text
            assert REQUEST in answer.text
            for inner in ("machine room", "RuntimeError", "Traceback"):
                assert inner not in answer.text
        asked = await client.get("/identity/login", headers={**headers, "accept": "application/json"})
        assert (asked.status_code, asked.json()["code"]) == (500, "internal_error")
    assert [one["event"] for one in logged if one["log_level"] == "error"] == ["request_failed"] * 3


async def test_a_number_that_nobody_gave_out_is_not_shown(client: httpx.AsyncClient) -> None:
    answer = await client.get("/identity/nothing", headers={"x-request-id": "<script>alert(1)</script>"})
    assert answer.status_code == 404
    assert "alert(1)" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "sentence"),
    [
        ("GET", "/identity/nothing", 404, "没有这个页面"),
        ("GET", "/identity/login/nothing", 404, "没有这个页面"),
        ("PUT", "/identity/login", 405, "不能这样打开"),
        ("GET", "/identity/login/second-factor", 405, "不能这样打开"),
    ],
)
async def test_what_is_not_there_or_not_opened_this_way_is_a_page(
    client: httpx.AsyncClient, method: str, path: str, status: int, sentence: str
) -> None:
    answer = await client.request(method, path, headers={"accept": HTML})
    assert (answer.status_code, sentence in answer.text) == (status, True)
    assert ("allow" in answer.headers) == (status == 405)


async def test_programs_get_problem_documents(client: httpx.AsyncClient, app: FastAPI) -> None:
    for path, status in (("/identity/v1/nothing", 404), ("/identity/token", 405)):
        answer = await client.get(path, headers={"accept": HTML})
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("application/problem+json")


async def test_a_form_larger_than_any_is_a_page(client: httpx.AsyncClient) -> None:
    answer = await client.post("/identity/login", content=b"x" * (1024 * 1024 + 1), headers={"accept": HTML})
    assert (answer.status_code, "内容过大" in answer.text) == (413, True)

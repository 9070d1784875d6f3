"""Every refusal as ``application/problem+json`` (RFC 9457), in Chinese unless English is asked for."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import asyncpg
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from opentelemetry import trace
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException

from service_common.challenges import challenge
from service_common.db import is_passing_fault
from service_common.errors import (
    Conflict,
    DomainError,
    FieldProblem,
    Forbidden,
    Invalid,
    NotFound,
    PreconditionMissing,
    Stale,
    TooMany,
    Unauthenticated,
    Unavailable,
)

logger = structlog.get_logger()

PROBLEM_JSON = "application/problem+json"

STATUS_OF: dict[type[DomainError], int] = {
    Invalid: 422,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    Stale: 412,
    PreconditionMissing: 428,
    TooMany: 429,
    Unavailable: 503,
}

_TITLES = {
    400: ("请求格式错误", "Bad request"),
    401: ("需要登录", "Not signed in"),
    403: ("没有权限", "Forbidden"),
    404: ("没有找到", "Not found"),
    405: ("不支持的请求方法", "Method not allowed"),
    406: ("无法提供所需格式", "Not acceptable"),
    409: ("当前状态不允许", "Conflict"),
    412: ("版本已过期", "Precondition failed"),
    413: ("内容过大", "Content too large"),
    415: ("不支持的内容类型", "Unsupported media type"),
    422: ("内容不符合要求", "Invalid content"),
    428: ("缺少前提条件", "Precondition required"),
    429: ("请求过于频繁", "Too many requests"),
    500: ("系统内部错误", "Internal error"),
    503: ("服务暂时不可用", "Unavailable"),
}

# pydantic's sentences are English only; these are the ones that people meet.
_ZH_BY_TYPE = {
    "missing": "必填",
    "extra_forbidden": "不认识的字段",
    "string_too_short": "内容太短",
    "string_too_long": "内容太长",
    "string_pattern_mismatch": "格式不正确",
    "enum": "取值不在允许范围内",
    "literal_error": "取值不在允许范围内",
    "uuid_parsing": "不是有效的编号",
    "json_invalid": "不是有效的 JSON",
    "greater_than_equal": "数值太小",
    "less_than_equal": "数值太大",
}


def language_of(request: Request) -> str:
    """``en`` when the client prefers English to Chinese, else ``zh``."""
    accepted = request.headers.get("accept-language", "").lower()
    first = accepted.split(",", 1)[0].strip()
    return "en" if first.startswith("en") else "zh"


def _category_status(error: DomainError) -> int:
    return next(STATUS_OF[kind] for kind in type(error).__mro__ if kind in STATUS_OF)


def trace_id() -> str | None:
    """The running trace, for the person who reports the problem."""
    context = trace.get_current_span().get_span_context()
    return format(context.trace_id, "032x") if context.is_valid else None


class _ProblemDocument(JSONResponse):
    """A refusal names what was sent, and that may hold characters that no text has."""

    media_type = PROBLEM_JSON

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


ErrorPage = Callable[[Request, int, dict[str, str]], Response | None]
"""What a service shows to a browser in place of a problem document, by status and headers; None where it shows the document."""


def problem_response(
    request: Request,
    status: int,
    *,
    code: str,
    detail: str | None = None,
    errors: list[dict[str, str]] | None = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """One problem document; a page where the service has pages."""
    show: ErrorPage | None = getattr(request.app.state, "error_page", None)
    if show is not None and (shown := show(request, status, headers or {})) is not None:
        return shown
    language = language_of(request)
    zh, en = _TITLES.get(status, (HTTPStatus(status).phrase, HTTPStatus(status).phrase))
    body: dict[str, Any] = {
        "type": f"urn:lianban:problem:{code}",
        "title": en if language == "en" else zh,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        "code": code,
        "trace_id": trace_id(),
    }
    if errors:
        body["errors"] = errors
    content = {key: value for key, value in body.items() if value is not None}
    return _ProblemDocument(
        content,
        status_code=status,
        headers={"Content-Language": language, "Cache-Control": "no-store", **(headers or {})},
    )


def _field(problem: FieldProblem, language: str) -> dict[str, str]:
    sentence = problem.en if language == "en" else problem.zh
    return {"pointer": problem.pointer, "code": problem.code, "detail": sentence}


async def _on_domain_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DomainError)
    language = language_of(request)
    status = _category_status(error)
    headers: dict[str, str] = {}
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.retry_after)
    if status == 503:
        headers["Retry-After"] = "2"
    if status == 401 or error.code == "insufficient_scope":
        headers["WWW-Authenticate"] = challenge(request, error)
    return problem_response(
        request,
        status,
        code=error.code,
        detail=error.sentence(language),
        errors=[_field(one, language) for one in error.fields],
        headers=headers,
    )


def _pointer(location: tuple[str | int, ...]) -> str:
    """RFC 6901 pointer into the body, or a name for a parameter."""
    where, *path = location
    if where == "body":
        return "/" + "/".join(str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return f"{where}:{'.'.join(map(str, path))}"


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    language = language_of(request)
    problems = [
        {
            "pointer": _pointer(one["loc"]),
            "code": one["type"],
            "detail": one["msg"] if language == "en" else _ZH_BY_TYPE.get(one["type"], one["msg"]),
        }
        for one in error.errors()
    ]
    detail = "See `errors`." if language == "en" else "请检查 errors 中列出的字段。"
    return problem_response(request, 422, code="invalid_input", detail=detail, errors=problems)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    codes = {404: "not_found", 405: "method_not_allowed", 413: "content_too_large", 400: "bad_request"}
    code = codes.get(error.status_code, f"http_{error.status_code}")
    detail = str(error.detail) if error.detail and error.status_code < 500 else None
    return problem_response(
        request, error.status_code, code=code, detail=detail, headers=dict(error.headers or {})
    )


async def _on_stale_row(request: Request, _error: Exception) -> Response:
    return await _on_domain_error(request, Stale())


class UnstorableText(Invalid):
    """A NUL character, or half of a surrogate pair: valid JSON, but no text for PostgreSQL."""

    code = "unstorable_character"
    zh = "提交的内容含有无法保存的字符。"
    en = "The input holds a character that cannot be stored."


# character_not_in_repertoire, untranslatable_character
_UNSTORABLE_STATES = frozenset({"22021", "22P05"})


async def _on_unstorable_text(request: Request, _error: Exception) -> Response:
    return await _on_domain_error(request, UnstorableText())


def _is_unstorable(error: Exception) -> bool:
    """Refused by the server, or by the driver, which cannot even encode it."""
    if not isinstance(error, DBAPIError):
        return False
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, UnicodeEncodeError):
        cause = cause.__cause__
    return cause is not None or getattr(error.orig, "sqlstate", None) in _UNSTORABLE_STATES


async def _on_database_error(request: Request, error: Exception) -> Response:
    if _is_unstorable(error):
        return await _on_domain_error(request, UnstorableText())
    if not is_passing_fault(error):
        return await _on_unknown(request, error)
    logger.warning("database_away", error=type(error).__name__)
    return await _on_domain_error(request, Unavailable())


async def _on_unknown(request: Request, error: Exception) -> Response:
    logger.error("request_failed", path=request.url.path, exc_info=error)
    return problem_response(request, 500, code="internal_error")


def install_problem_rendering(app: FastAPI) -> None:
    """Makes every error answer of an application a problem document."""
    app.add_exception_handler(DomainError, _on_domain_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(StaleDataError, _on_stale_row)
    app.add_exception_handler(UnicodeEncodeError, _on_unstorable_text)
    for away in (DBAPIError, PoolTimeoutError, ConnectionError, TimeoutError, asyncpg.InterfaceError):
        app.add_exception_handler(away, _on_database_error)
    app.add_exception_handler(Exception, _on_unknown)

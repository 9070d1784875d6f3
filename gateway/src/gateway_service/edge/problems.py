"""The edge's own refusals as problem documents (RFC 9457), in Chinese unless English is asked for.

Envoy answers these itself, before or instead of a service: rendered as ``local_reply_config``, the first mapper that
fits wins. What a service answers passes through untouched.
"""

from dataclasses import dataclass
from typing import Any

from gateway_service.edge.tokens import FAILURE_METADATA

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class EdgeProblem:
    """One refusal. ``when`` narrows it to one cause among those with the same status."""

    status: int
    code: str
    title_zh: str
    title_en: str
    detail_zh: str
    detail_en: str
    when: Json | None = None
    answered: int | None = None  # another status than Envoy's own
    headers: tuple[tuple[str, str], ...] = ()


def _token_failure(message: str) -> Json:
    return {
        "metadata_filter": {
            "matcher": {
                "filter": "envoy.filters.http.jwt_authn",
                "path": [{"key": FAILURE_METADATA}, {"key": "message"}],
                "value": {"string_match": {"exact": message}},
            },
            "match_if_key_not_found": False,
        }
    }


_RETRY_SOON = (("retry-after", "2"),)
_UNAVAILABLE = (
    "服务暂时不可用",
    "Unavailable",
    "服务暂时不可用，请稍后重试。",
    "Temporarily unavailable, retry later.",
)

PROBLEMS: tuple[EdgeProblem, ...] = (
    EdgeProblem(
        400,
        "bad_request",
        "请求格式错误",
        "Bad request",
        "请求格式错误，或路径中含有不必要的转义字符。",
        "The request is malformed, or its path escapes characters that need no escape.",
    ),
    EdgeProblem(
        401,
        "keys_unavailable",
        *_UNAVAILABLE,
        when=_token_failure("Jwks remote fetch is failed"),
        answered=503,
        headers=_RETRY_SOON,
    ),
    EdgeProblem(
        401,
        "unauthenticated",
        "需要登录",
        "Not signed in",
        "请先登录。",
        "Sign in first.",
        when=_token_failure("Jwt is missing"),
        headers=(("www-authenticate", "Bearer"),),  # RFC 6750 §3.1: no error code when no token was sent
    ),
    EdgeProblem(
        401,
        "invalid_token",
        "需要登录",
        "Not signed in",
        "登录凭证无效或已过期，请重新登录。",
        "The access token is invalid or has expired: sign in again.",
        headers=(("www-authenticate", 'Bearer error="invalid_token"'),),
    ),
    EdgeProblem(403, "forbidden", "没有权限", "Forbidden", "不允许此访问。", "This access is not allowed."),
    EdgeProblem(
        404, "not_found", "没有找到", "Not found", "没有这个地址。", "There is nothing at this address."
    ),
    EdgeProblem(
        408,
        "request_timeout",
        "请求超时",
        "Request timeout",
        "请求发送过慢。",
        "The request came in too slowly.",
    ),
    EdgeProblem(
        411,
        "length_required",
        "缺少内容长度",
        "Length required",
        "上传文件时必须带 Content-Length。",
        "An upload must say its Content-Length.",
    ),
    EdgeProblem(
        413,
        "content_too_large",
        "内容过大",
        "Content too large",
        "提交的内容超过了允许的大小。",
        "The content is larger than allowed here.",
    ),
    EdgeProblem(
        429,
        "too_many_requests",
        "请求过于频繁",
        "Too many requests",
        "操作过于频繁，请稍后再试。",
        "Too many requests: slow down and retry.",
        # Buckets are filled every second: after one there is room again.
        headers=(("retry-after", "1"),),
    ),
    EdgeProblem(
        431,
        "headers_too_large",
        "请求头过大",
        "Header fields too large",
        "请求头超过了允许的大小。",
        "The header fields are larger than allowed.",
    ),
    # A service that answers no HTTP is as unavailable as one that does not answer.
    EdgeProblem(502, "unavailable", *_UNAVAILABLE, answered=503, headers=_RETRY_SOON),
    EdgeProblem(503, "unavailable", *_UNAVAILABLE, headers=_RETRY_SOON),
    EdgeProblem(
        504,
        "upstream_timeout",
        "服务响应超时",
        "Upstream timeout",
        "服务未能及时答复，操作可能已经生效，请用原来的 Idempotency-Key 重试。",
        "The service did not answer in time; it may have acted: retry with the same Idempotency-Key.",
        headers=_RETRY_SOON,
    ),
)


def local_reply_config() -> Json:
    """Renders every refusal in both languages; anything unforeseen becomes ``edge_error``."""
    mappers = [_mapper(problem, language) for problem in PROBLEMS for language in ("en", "zh")]
    return {
        "mappers": mappers,
        "body_format": _body("edge_error", "请求未能完成", "请求未能完成。", "%RESPONSE_CODE%"),
    }


def _mapper(problem: EdgeProblem, language: str) -> Json:
    english = language == "en"
    conditions = [
        _status_is(problem.status),
        *([problem.when] if problem.when else []),
        *([_prefers_english()] if english else []),
    ]
    title = problem.title_en if english else problem.title_zh
    detail = problem.detail_en if english else problem.detail_zh
    status = problem.answered or problem.status
    mapper: Json = {
        "filter": conditions[0] if len(conditions) == 1 else {"and_filter": {"filters": conditions}},
        "body_format_override": _body(problem.code, title, detail, status),
        "headers_to_add": [
            {"header": {"key": key, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
            for key, value in (
                ("content-language", language),
                ("cache-control", "no-store"),
                *problem.headers,
            )
        ],
    }
    if problem.answered:
        mapper["status_code"] = problem.answered
    return mapper


def _status_is(status: int) -> Json:
    return {
        "status_code_filter": {
            "comparison": {
                "op": "EQ",
                "value": {"default_value": status, "runtime_key": "edge.never_overridden"},
            }
        }
    }


def _prefers_english() -> Json:
    english_first = {"prefix": "en", "ignore_case": True}
    return {"header_filter": {"header": {"name": "accept-language", "string_match": english_first}}}


def _body(code: str, title: str, detail: str, status: int | str) -> Json:
    return {
        "json_format": {
            "type": f"urn:lianban:problem:{code}",
            "title": title,
            "status": status,
            "detail": detail,
            "instance": "%PATH(NQ)%",
            "code": code,
            # Envoy does not tell its replies the trace id; the access log has both beside each other.
            "request_id": "%REQ(X-REQUEST-ID)%",
        },
        "omit_empty_values": True,
        "content_type": "application/problem+json",
    }

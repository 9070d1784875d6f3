"""The pages of the developer portal: plain HTML of our own and Swagger UI from a package. Nothing is loaded from elsewhere."""

from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from gateway_service.edge.routes import SERVICES

# Swagger UI writes style attributes; scripts come from our own files only.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

_ASSETS = {
    "swagger-ui-bundle.js": ("fastapi_swagger.resources", "text/javascript"),
    "swagger-ui.css": ("fastapi_swagger.resources", "text/css"),
    "favicon-32x32.png": ("fastapi_swagger.resources", "image/png"),
    "portal.css": ("gateway_service.portal.assets", "text/css"),
    "start.js": ("gateway_service.portal.assets", "text/javascript"),
}


@cache
def asset(name: str) -> tuple[bytes, str] | None:
    """An asset's bytes and media type, or None when there is no such asset."""
    if name not in _ASSETS:
        return None
    package, media_type = _ASSETS[name]
    return files(package).joinpath(name).read_bytes(), media_type


def _page(title: str, body: str, *, head: str = "") -> str:
    return f"""<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)} · 联办</title>
<link rel="icon" href="/docs/assets/favicon-32x32.png">
<link rel="stylesheet" href="/docs/assets/portal.css">
{head}</head>
<body>
{body}
</body>
</html>
"""


def start_page(missing: set[str]) -> str:
    """Where developers of partner systems begin."""
    services = "\n".join(
        f'<li><a href="/{name}/v1/openapi.json">{name}</a>{"（暂时不可用）" if name in missing else ""}</li>'
        for name in SERVICES
    )
    body = f"""<main>
<h1>联办开放平台</h1>
<p>一个入口，办成一件事。这里是面向应用和部门系统的接口文档，所有资源都由本站提供，不依赖外部网络。</p>
<ul class="doors">
<li><a href="/docs/api">接口浏览</a><span>按服务分组，可直接试用</span></li>
<li><a href="/docs/events">事件一览</a><span>平台内的全部事件及其字段</span></li>
<li><a href="/openapi.json">openapi.json</a><span>合并后的 OpenAPI 3.1 文档</span></li>
<li><a href="/asyncapi.json">asyncapi.json</a><span>AsyncAPI 3.0 文档</span></li>
<li><a href="/identity/.well-known/openid-configuration">登录配置</a><span>OpenID Connect 发现文档</span></li>
<li><a href="/health">运行状态</a><span>各服务是否可用</span></li>
</ul>
<h2>接入三步</h2>
<ol>
<li>向运营人员申请客户端，拿到 client_id 和密钥；需要的权限（scope）写在每个接口上。</li>
<li>用 OpenID Connect 授权码加 PKCE 登录用户，或用 client_credentials 取得系统令牌；令牌五分钟有效。</li>
<li>部门系统可通过 <code>POST /gateway/v1/webhooks</code> 订阅与本部门有关的事项，签名遵循 Standard Webhooks。</li>
</ol>
<h2>约定</h2>
<p>错误为 problem+json（RFC 9457），默认中文；提交类操作须带 <code>Idempotency-Key</code>；超出频率返回 429 和 <code>RateLimit-*</code> 头。</p>
<h2>各服务文档</h2>
<ul>
{services}
</ul>
</main>"""
    return _page("开放平台", body)


def api_page() -> str:
    """Swagger UI over the merged document."""
    head = '<link rel="stylesheet" href="/docs/assets/swagger-ui.css">\n'
    body = """<nav><a href="/docs">联办开放平台</a></nav>
<div id="api"><noscript>浏览接口需要 JavaScript；文档本身见 <a href="/openapi.json">openapi.json</a>。</noscript></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/assets/start.js"></script>"""
    return _page("接口浏览", body, head=head)


def events_page(document: dict[str, Any]) -> str:
    """Every event with its fields, readable without JavaScript."""
    sections = "\n".join(_event(document, channel) for channel in document["channels"].values())
    body = f"""<nav><a href="/docs">联办开放平台</a></nav>
<main>
<h1>事件一览</h1>
<p>CloudEvents 1.0，经 NATS JetStream 送达，至少一次；<code>revision</code> 为同一对象的事件序号。事件不含个人信息。</p>
{sections}
</main>"""
    return _page("事件一览", body)


def _event(document: dict[str, Any], channel: dict[str, Any]) -> str:
    schemas = document["components"]["schemas"]
    (name,) = channel["messages"]
    payload = document["components"]["messages"][name]["payload"]["$ref"].rsplit("/", 1)[1]
    data = schemas[payload]["properties"]["data"]["$ref"].rsplit("/", 1)[1]
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td><td>{escape(_kind(shape))}</td></tr>"
        for field, shape in schemas[data].get("properties", {}).items()
    )
    return (
        f"<section><h2><code>{escape(channel['address'])}</code></h2><p>{escape(channel['description'])}</p>"
        f"<table>{rows}</table></section>"
    )


def _kind(shape: dict[str, Any]) -> str:
    if "$ref" in shape:
        return str(shape["$ref"]).rsplit("/", 1)[1]
    if "anyOf" in shape:
        return " | ".join(_kind(one) for one in shape["anyOf"])
    if shape.get("type") == "array":
        return f"[{_kind(shape.get('items', {}))}]"
    return str(shape.get("format") or shape.get("type") or shape.get("const", ""))

"""The pages that people see: server-rendered, without JavaScript, under a strict content security policy."""

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

_TEXT_COOKIE = "lianban_text"
_LARGE = "large"
_YEAR_SECONDS = 31_536_000


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("identity_service.pages"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def passkey_script() -> str:
    """The one script: passkeys cannot be used without."""
    return (resources.files("identity_service.pages") / "static" / "passkeys.js").read_text("utf-8")


@cache
def stylesheet() -> str:
    """The one style sheet of all pages."""
    return (resources.files("identity_service.pages") / "static" / "identity.css").read_text("utf-8")


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    leads_to: str | None = None,
    frames: Sequence[str] = (),
    with_script: bool = False,
    headers: dict[str, str] | None = None,
    **values: Any,
) -> HTMLResponse:
    """A page. ``leads_to`` is the address of a client that a form on it ends at, by redirects.

    Browsers apply ``form-action`` to those redirects as well, so the client's origin must be in it. ``frames`` are the
    addresses that the page loads in frames; it may load no others. ``with_script`` lets our own script file run, which every
    page can be used without.
    """
    asked = request.query_params.get("text")
    size = asked if asked is not None else request.cookies.get(_TEXT_COOKIE)
    others = [(key, value) for key, value in request.query_params.multi_items() if key != "text"]
    text = (
        _environment()
        .get_template(template)
        .render(
            is_large=size == _LARGE,
            toggle="?" + urlencode([*others, ("text", "normal" if size == _LARGE else _LARGE)]),
            frames=frames,
            with_script=with_script,
            **values,
        )
    )
    response = HTMLResponse(
        text, status, headers={**_headers(leads_to, frames, with_script=with_script), **(headers or {})}
    )
    if asked is not None:
        response.set_cookie(
            _TEXT_COOKIE, asked if asked == _LARGE else "normal", max_age=_YEAR_SECONDS, path="/identity",
            httponly=True, samesite="lax",
        )  # fmt: skip
    return response


def _headers(leads_to: str | None, frames: Sequence[str], *, with_script: bool) -> dict[str, str]:
    targets = " ".join(["'self'", *([_source(leads_to)] if leads_to else [])])
    scripts = "script-src 'self'; connect-src 'self'; " if with_script else ""
    framed = " ".join(sorted({_without_query(one) for one in frames})) or "'none'"
    return {
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'self'; img-src 'self'; form-action {targets}; "
            f"frame-src {framed}; "
            f"{scripts}"
            "frame-ancestors 'none'; base-uri 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-store",
        "Content-Language": "zh-CN",
    }


def _without_query(address: str) -> str:
    """Host and path, which is as narrow as a policy can be."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}{quote(parts.path, safe='/%~')}"


def _source(address: str) -> str:
    """Origin of a web address; the bare scheme of an app's private one."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme in ("http", "https") else f"{parts.scheme}:"


def see_other(address: str) -> Response:
    """On to the next page. 303: the browser never repeats a POST, with its password, elsewhere (RFC 9700 §4.12)."""
    return RedirectResponse(
        address, 303, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    )

"""The pages that people see: server-rendered, usable without JavaScript, under a strict content security policy."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from importlib import resources
from typing import Any
from urllib.parse import quote, urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from identity_service.pages.display import display_of, keep_choices
from identity_service.pages.wording import TAGS, say
from service_common.errors import DomainError
from service_common.middleware import request_id
from service_common.problem import trace_id

SCRIPTS = ("passkeys.js", "scan.js", "signed-out.js")


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
def static_file(name: str) -> str:
    """The style sheet, or one of the scripts, which every page can be used without."""
    return (resources.files("identity_service.pages") / "static" / name).read_text("utf-8")


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    leads_to: str | None = None,
    frames: Sequence[str] = (),
    script: str | None = None,
    headers: Mapping[str, str] | None = None,
    problem: DomainError | None = None,
    ui_locales: str = "",
    again: str | None = None,
    **values: Any,
) -> HTMLResponse:
    """A page. ``leads_to`` is the address of a client that a form on it ends at, by redirects.

    Browsers apply ``form-action`` to those redirects as well, so the client's origin must be in it. ``frames`` are the
    addresses that the page loads in frames; it may load no others. ``script`` is the one of ours that may run. A page that
    answers a form says at which address it can be seen ``again``, in another language or size.
    """
    display = display_of(request, ui_locales=ui_locales, again=again)
    text = (
        _environment()
        .get_template(template)
        .render(
            display=display,
            language=display.language,
            tag=TAGS[display.language],
            t=partial(say, display.language),
            frames=frames,
            script=script,
            problem=problem.sentence(display.language) if problem else None,
            **values,
        )
    )
    fixed = _headers(leads_to, frames, with_script=script is not None)
    spoken = {"Content-Language": TAGS[display.language]}
    response = HTMLResponse(text, status, headers={**fixed, **spoken, **(headers or {})})
    keep_choices(request, response, secure=request.app.state.settings.is_https)
    return response


def error_page(
    request: Request,
    error: DomainError,
    *,
    status: int,
    headers: Mapping[str, str],
    code: str | None = None,
    ui_locales: str = "",
) -> HTMLResponse:
    """An error for people to read, with the number of the request under which we find it. ``code`` is told in place of its own."""
    return page(
        request,
        "error.html",
        status=status,
        headers=headers,
        problem=error,
        ui_locales=ui_locales,
        code=code or error.code,
        request_id=request_id(request) or trace_id(),
    )


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

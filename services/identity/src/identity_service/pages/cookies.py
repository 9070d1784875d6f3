"""The two cookies of the log-in pages, and the token that ties a form to its browser."""

import base64
import hmac
import os

from fastapi import Request, Response

from identity_service.settings import Settings
from service_common.crypto import KeyRing

_SESSION = "lianban_session"
_BROWSER = "lianban_browser"
_PATH = "/identity"
_BROWSER_SECONDS = 400 * 86_400  # as long as browsers allow


def session_secret(request: Request) -> str | None:
    """The secret of the log-in session, if the browser has one."""
    return request.cookies.get(_SESSION)


def browser_secret(request: Request) -> str | None:
    """What this browser was given when it first came."""
    return request.cookies.get(_BROWSER)


def new_browser_secret() -> str:
    return base64.urlsafe_b64encode(os.urandom(32)).rstrip(b"=").decode()


def browser_hash(ring: KeyRing, secret: str) -> bytes:
    """How a browser is known to us."""
    return ring.blind_index(secret, column="browser")


def form_token(ring: KeyRing, browser: str, purpose: str) -> str:
    """Proves that a form was shown to the browser that sends it."""
    return ring.blind_index(f"{purpose}\x00{browser}", column="form_token").hex()


def form_token_fits(ring: KeyRing, browser: str | None, purpose: str, token: str) -> bool:
    return browser is not None and hmac.compare_digest(
        form_token(ring, browser, purpose).encode(), token.encode()
    )


def keep_session(response: Response, secret: str, settings: Settings) -> None:
    """Gives the browser a session: until it is closed, unreadable to scripts, not sent by other sites' forms."""
    response.set_cookie(_SESSION, secret, path=_PATH, httponly=True, samesite="lax", secure=settings.is_https)


def keep_browser(response: Response, secret: str, settings: Settings) -> None:
    response.set_cookie(
        _BROWSER,
        secret,
        max_age=_BROWSER_SECONDS,
        path=_PATH,
        httponly=True,
        samesite="lax",
        secure=settings.is_https,
    )


def forget_session(response: Response) -> None:
    response.delete_cookie(_SESSION, path=_PATH, httponly=True, samesite="lax")

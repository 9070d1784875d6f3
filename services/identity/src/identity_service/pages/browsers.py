"""The browser at the other end of a page, and errors shown to it as pages."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from identity_service.edge import address_of
from identity_service.pages import cookies
from identity_service.pages.rendering import error_page
from identity_service.settings import Settings
from service_common.crypto import KeyRing
from service_common.errors import DomainError, Forbidden, Invalid, TooMany, Unavailable


@dataclass(frozen=True)
class Visit:
    """One request of a browser. ``browser`` is the secret of its cookie; ``is_new`` when it came without."""

    request: Request
    ring: KeyRing
    settings: Settings
    browser: str
    is_new: bool
    session_secret: str | None
    address: str

    @property
    def browser_hash(self) -> bytes:
        return cookies.browser_hash(self.ring, self.browser)

    def form_token(self, purpose: str) -> str:
        """To be sent back by a form of this purpose."""
        return cookies.form_token(self.ring, self.browser, purpose)

    def form_is_ours(self, purpose: str, token: str) -> bool:
        """Whether the form was shown to this very browser."""
        known = None if self.is_new else self.browser
        return cookies.form_token_fits(self.ring, known, purpose, token)

    def remember(self, response: Response) -> Response:
        """Gives a new browser its cookie."""
        if self.is_new:
            cookies.keep_browser(response, self.browser, self.settings)
        return response


def visit_of(request: Request) -> Visit:
    """Who comes, as the request tells."""
    known = cookies.browser_secret(request)
    return Visit(
        request=request,
        ring=request.app.state.key_ring,
        settings=request.app.state.settings,
        browser=known or cookies.new_browser_secret(),
        is_new=known is None,
        session_secret=cookies.session_secret(request),
        address=address_of(request),
    )


async def _visit(request: Request) -> Visit:
    return visit_of(request)


CurrentVisit = Annotated[Visit, Depends(_visit)]


class PageRoute(APIRoute):
    """Shows refusals as a page instead of a problem document.

    Its routes open their transactions themselves (``InTransactions``): an error that is caught here must have rolled back
    already, and the session of a dependency would be committed.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_or_explain(request: Request) -> Response:
            try:
                return await handle(request)
            except DomainError as error:
                return refusal(request, error)
            except RequestValidationError:
                return refusal(request, Incomplete(), status=422)

        return handle_or_explain


class Incomplete(Invalid):
    """Something is missing that our own forms always send."""

    code = "invalid_request"
    zh = "请求缺少必要的内容。"
    en = "The request lacks something."


def refusal(
    request: Request, error: DomainError, *, status: int = 400, code: str | None = None, ui_locales: str = ""
) -> Response:
    """A refusal for people to read. ``code`` is told in place of the error's own."""
    headers: dict[str, str] = {}
    if isinstance(error, TooMany):
        status, headers = 429, {"Retry-After": str(error.retry_after)}
    elif isinstance(error, Unavailable):
        status, headers = 503, {"Retry-After": "2"}
    elif isinstance(error, Forbidden):
        status = 403
    return error_page(request, error, status=status, headers=headers, code=code, ui_locales=ui_locales)

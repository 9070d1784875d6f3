"""What went wrong before or outside of a page's own code, as a page: nothing there, the wrong method, an error of ours."""

from fastapi import Request, Response

from identity_service.pages.rendering import error_page
from service_common.errors import DomainError, NotFound, Unavailable

# Everything else below /identity is seen by people.
_FOR_PROGRAMS = (
    "/identity/v1",
    "/identity/.well-known",
    "/identity/jwks",
    "/identity/token",
    "/identity/par",
    "/identity/introspect",
    "/identity/revoke",
    "/identity/userinfo",
    "/identity/device_authorization",
    "/identity/static",
)


class NoSuchPage(NotFound):
    """Nothing is at this address."""

    code = "no_such_page"
    zh = "没有这个页面。请检查网址，或返回应用重新进入。"
    en = "There is no such page. Check the address, or go back to the application."


class NotOpenedThisWay(DomainError):
    """A form's address was typed, or a page was posted to."""

    code = "method_not_allowed"
    zh = "该地址不能这样打开，请从页面上的按钮或链接进入。"
    en = "This address cannot be opened like this: use the buttons and links of the page."


class TooMuch(DomainError):
    """More than any form holds."""

    code = "content_too_large"
    zh = "提交的内容过大。"
    en = "Too much was sent."


class Unexpected(DomainError):
    """An error of ours. Nothing of it is shown but the number under which it stands in the log."""

    code = "internal_error"
    zh = "系统出现问题，您的操作可能没有完成。请稍后再试；如仍有问题，请提供下方的请求编号。"
    en = "Something went wrong on our side, and what you did may not be done. Try again later, or quote the request number below."


_BY_STATUS: dict[int, type[DomainError]] = {
    404: NoSuchPage,
    405: NotOpenedThisWay,
    413: TooMuch,
    503: Unavailable,
}


def is_for_people(path: str, accepted: str) -> bool:
    """Whether who asks for this path, with this ``Accept``, is to see a page. Who accepts no HTML gets a problem document."""
    if not path.startswith("/identity/"):
        return False
    if any(path == one or path.startswith(f"{one}/") for one in _FOR_PROGRAMS):
        return False
    return not accepted or "text/html" in accepted or "*/*" in accepted


def show_error(request: Request, status: int, headers: dict[str, str]) -> Response | None:
    """The page of an error; None where a program asks."""
    if not is_for_people(request.url.path, request.headers.get("accept", "")):
        return None
    kind = _BY_STATUS.get(status, Unexpected)
    return error_page(request, kind(), status=status, headers=headers)

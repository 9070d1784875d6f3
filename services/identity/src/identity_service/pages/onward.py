"""Pages of ours to which a log-in leads that no application asked for."""

from enum import StrEnum

from fastapi import Response

from identity_service.pages.browsers import Visit
from identity_service.pages.rendering import see_other

ONWARD = "onward"
"""The parameter that names one of them: in the address of the log-in page, and in the interaction that it begins."""


class OwnPage(StrEnum):
    """Named and not addressed: whatever somebody writes into a link, a log-in leads to none but these."""

    ACCOUNT = "account"
    INBOX = "inbox"
    PASSKEYS = "passkeys"
    PASSWORD = "password"  # noqa: S105 - no password
    SECOND_FACTOR = "second-factor"
    PHONE = "phone"
    ACCESSES = "accesses"
    CLOSING = "closing"

    @property
    def path(self) -> str:
        below = "account/" if self in _OF_THE_ACCOUNT else ""
        return f"/identity/{below}{self.value}"


_OF_THE_ACCOUNT = frozenset(
    {OwnPage.PASSWORD, OwnPage.SECOND_FACTOR, OwnPage.PHONE, OwnPage.ACCESSES, OwnPage.CLOSING}
)


def log_in_again(page: OwnPage) -> str:
    """Where somebody who is logged in shows once more who it is, and comes back."""
    return f"/identity/login?{ONWARD}={page}&again=true"


def log_in_first(visit: Visit, page: OwnPage = OwnPage.ACCOUNT) -> Response:
    """To the log-in, and from there back to the page that somebody wanted to see."""
    asked = "" if page is OwnPage.ACCOUNT else f"?{ONWARD}={page}"
    return visit.remember(see_other(f"/identity/login{asked}"))

"""What the home screen is made of, and where each part comes from."""

from dataclasses import dataclass
from enum import StrEnum


class PartStatus(StrEnum):
    """A part that fails does not take the others with it."""

    OK = "OK"
    UNAVAILABLE = "UNAVAILABLE"  # try again later
    NOT_PERMITTED = "NOT_PERMITTED"  # this token has no scope for it


@dataclass(frozen=True, slots=True)
class Part:
    """One question to one service, with the user's own token."""

    name: str
    service: str
    path: str


PARTS = (
    Part("me", "identity", "/identity/v1/me"),
    Part("inbox", "identity", "/identity/v1/me/inbox?unread=true&limit=5"),
    Part("applications", "acceptance", "/acceptance/v1/applications?limit=5"),
    Part("licences", "certificates", "/certificates/v1/licences?limit=10"),
    Part("invitations", "evaluation", "/evaluation/v1/invitations?limit=5"),
)

# A screen is drawn once: what has not come by then is shown as unavailable.
PART_SECONDS = 2.0


def status_of(http_status: int) -> PartStatus:
    """What a service's answer means for its part."""
    if 200 <= http_status < 300:
        return PartStatus.OK
    return PartStatus.NOT_PERMITTED if http_status in {401, 403} else PartStatus.UNAVAILABLE

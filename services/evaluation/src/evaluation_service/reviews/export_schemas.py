"""HTTP shapes of the export of one's contacts and reviews."""

from datetime import datetime
from typing import Self

from evaluation_service.invitations.schemas import InvitationRead
from evaluation_service.reviews.export import ExportedContact
from evaluation_service.reviews.schemas import OwnReviewRead


class ContactExport(InvitationRead):
    """A service contact that could be reviewed, with the caller's review in full."""

    review: OwnReviewRead | None

    @classmethod
    def shown(cls, one: ExportedContact, now: datetime) -> Self:
        """With the invitation's state as it is now."""
        invitation = InvitationRead.of(one.invitation, now)
        review = OwnReviewRead.with_text(one.review) if one.review else None
        return cls(**vars(invitation), review=review)

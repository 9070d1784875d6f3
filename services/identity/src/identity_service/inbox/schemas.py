"""HTTP shapes of the inbox."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from pydantic import Field

from identity_service.inbox.domain import CATEGORY_LABELS, WORDINGS, Category, Template, wording
from identity_service.inbox.models import InboxMessage
from identity_service.schemas import Output


class UnreadCount(Output):
    """Unread messages of one category."""

    category: Category
    category_label: str
    unread: int


class UnreadSummary(Output):
    """How much waits to be read."""

    unread: int
    categories: list[UnreadCount]

    @classmethod
    def of(cls, counts: Mapping[Category, int]) -> "UnreadSummary":
        return cls(
            unread=sum(counts.values()),
            categories=[
                UnreadCount(category=category, category_label=CATEGORY_LABELS[category], unread=count)
                for category, count in counts.items()
            ],
        )


class MessageRead(Output):
    """A message in the language of the request."""

    id: UUID
    template: Template
    category: Category
    category_label: str
    title: str
    body: str
    about_kind: str = Field(
        description="APPLICATION, CASE, LICENCE, INVITATION, TICKET, LEGAL_PERSON or ACCOUNT."
    )
    about_id: UUID
    created_at: datetime
    read_at: datetime | None

    @classmethod
    def of(cls, row: InboxMessage, language: str) -> "MessageRead":
        text = wording(row.template, row.facts, language)
        category = WORDINGS[row.template].category
        return cls(
            id=row.id,
            template=row.template,
            category=category,
            category_label=CATEGORY_LABELS[category],
            title=text.title,
            body=text.body,
            about_kind=row.about_kind,
            about_id=row.about_id,
            created_at=row.created_at,
            read_at=row.read_at,
        )

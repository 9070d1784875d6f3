"""Who speaks for a legal person about a service that it was given. Pure."""

from collections.abc import Collection
from uuid import UUID


def reviewer_of(submitted_by: UUID, representative_id: UUID | None, agents: Collection[UUID]) -> UUID | None:
    """The one who may judge for a legal person: who handed in, if they act for it themselves; else its representative.

    Whoever was only entrusted with the matter does not judge, least of all staff who helped 帮代办 (国办发〔2019〕51号: reviews
    are the served one's own, and nobody in an office has a hand in them). None: nobody is known who could be asked.
    """
    return submitted_by if submitted_by in agents else representative_id

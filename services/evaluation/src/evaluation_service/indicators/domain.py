"""Indicators of the review system, as counts and the rates made of them. Pure.

Source: standards §6.6. Every count is booked to the month of the service contact, so that each rate of a month speaks of the same
contacts, whenever its review or rectification came.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from service_common.clock import local_date
from service_common.contracts.evaluation import Grade


class Dimension(StrEnum):
    """By what indicators are published."""

    DIVISION = "DIVISION"
    DEPARTMENT = "DEPARTMENT"
    ITEM = "ITEM"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a service contact was with, and the local month (``2026-11``) in which it was."""

    division: str
    department_id: UUID
    item_code: str | None
    period: str

    def keys(self) -> list[tuple[Dimension, str]]:
        """The rows in which it counts."""
        keys = [
            (Dimension.DEPARTMENT, str(self.department_id)),
            (Dimension.DIVISION, self.division),
        ]
        return keys if self.item_code is None else [*keys, (Dimension.ITEM, self.item_code)]


@dataclass(frozen=True, slots=True)
class Counts:
    """What is counted. ``defaults`` are contacts whose window passed unreviewed 默认好评: shown, never a review.

    ``uninvited`` are those of the contacts about which nobody could be asked.
    """

    contacts: int = 0
    uninvited: int = 0
    defaults: int = 0
    very_satisfied: int = 0
    satisfied: int = 0
    basically_satisfied: int = 0
    dissatisfied: int = 0
    very_dissatisfied: int = 0
    rectifications: int = 0
    rectified: int = 0
    rectified_on_time: int = 0

    @property
    def good(self) -> int:
        """Reviews in the upper three grades 好评."""
        return self.very_satisfied + self.satisfied + self.basically_satisfied

    @property
    def reviews(self) -> int:
        """Reviews that somebody gave 主动评价."""
        return self.good + self.dissatisfied + self.very_dissatisfied

    @property
    def coverage_rate(self) -> float | None:
        """覆盖率: contacts that could be reviewed ÷ service contacts."""
        return _rate(self.contacts - self.uninvited, self.contacts)

    @property
    def active_review_rate(self) -> float | None:
        """主动评价率: reviews ÷ service contacts. Defaults never count."""
        return _rate(self.reviews, self.contacts)

    @property
    def good_rate(self) -> float | None:
        """好评率: good ÷ reviews, without defaults."""
        return _rate(self.good, self.reviews)

    @property
    def good_rate_with_defaults(self) -> float | None:
        """好评率 with contacts that nobody reviewed in time taken as good."""
        return _rate(self.good + self.defaults, self.reviews + self.defaults)

    @property
    def rectification_rate(self) -> float | None:
        """差评整改率: rectified ÷ bad reviews."""
        return _rate(self.rectified, self.rectifications)

    @property
    def on_time_rate(self) -> float | None:
        """按期整改率: rectified within the limit ÷ rectified."""
        return _rate(self.rectified_on_time, self.rectified)


COUNTERS = tuple(field.name for field in fields(Counts))


def count_of_grade(grade: Grade) -> Counts:
    """One review more of a grade."""
    return Counts(**{grade.value.lower(): 1})


def period_of(instant: datetime) -> str:
    """The local month of an instant, ``2026-11``."""
    return f"{local_date(instant):%Y-%m}"


def _rate(part: int, whole: int) -> float | None:
    """None when there is nothing to speak of: 0 of 0 is no rate."""
    return round(part / whole, 4) if whole else None

"""Words of the catalogue, and the life of its entries. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class LimitUnit(StrEnum):
    """Units of a time limit 时限单位."""

    WORKDAY = "WORKDAY"
    CALENDAR_DAY = "CALENDAR_DAY"
    HOUR = "HOUR"


@dataclass(frozen=True, slots=True)
class Limit:
    """A time limit as the guide states it."""

    value: int
    unit: LimitUnit


class ProjectType(StrEnum):
    """Case types 办件类型: on the spot, within a promised period, joint, forwarded to the upper level."""

    IMMEDIATE = "IMMEDIATE"
    PROMISED = "PROMISED"
    JOINT = "JOINT"
    FORWARDED = "FORWARDED"


class ApplicantKind(StrEnum):
    """Whom an item serves 服务对象."""

    NATURAL_PERSON = "NATURAL_PERSON"
    LEGAL_PERSON = "LEGAL_PERSON"


class Completeness(StrEnum):
    """Whether a full guide of the item was read, or only what a list says about it."""

    GUIDE = "guide"
    LINK_ONLY = "link_only"

"""HTTP shapes of indicators."""

from typing import Self

from pydantic import BaseModel, Field

from evaluation_service.indicators.domain import Dimension
from evaluation_service.indicators.handlers import Indicator


class IndicatorRead(BaseModel):
    """Published figures. A rate is null when there is nothing to speak of."""

    dimension: Dimension
    key: str = Field(description="Area code, department id or item code.")
    first_period: str
    last_period: str
    contacts: int = Field(description="Service contacts.")
    uninvited: int = Field(description="Of these, contacts about which nobody could be asked.")
    reviews: int = Field(description="Reviews that somebody gave.")
    good: int
    bad: int
    defaults: int = Field(description="Contacts whose window passed unreviewed 默认好评.")
    rectifications: int
    rectified: int
    coverage_rate: float | None = Field(description="覆盖率: contacts that could be reviewed.")
    active_review_rate: float | None = Field(description="主动评价率, never with defaults.")
    good_rate: float | None = Field(description="好评率 without defaults.")
    good_rate_with_defaults: float | None = Field(description="好评率 with defaults.")
    rectification_rate: float | None = Field(description="差评整改率.")
    on_time_rate: float | None = Field(description="按期整改率.")

    @classmethod
    def of(cls, indicator: Indicator, first: str, last: str) -> Self:
        """Figures over some months."""
        counts = indicator.counts
        return cls(
            dimension=indicator.dimension,
            key=indicator.key,
            first_period=first,
            last_period=last,
            contacts=counts.contacts,
            uninvited=counts.uninvited,
            coverage_rate=counts.coverage_rate,
            reviews=counts.reviews,
            good=counts.good,
            bad=counts.reviews - counts.good,
            defaults=counts.defaults,
            rectifications=counts.rectifications,
            rectified=counts.rectified,
            active_review_rate=counts.active_review_rate,
            good_rate=counts.good_rate,
            good_rate_with_defaults=counts.good_rate_with_defaults,
            rectification_rate=counts.rectification_rate,
            on_time_rate=counts.on_time_rate,
        )

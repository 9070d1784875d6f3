"""What a benchmark reports, and how several runs become one figure."""

import statistics
from collections.abc import Sequence

from pydantic import BaseModel


class Result(BaseModel):
    """One figure. ``value`` is compared with ``goal``; ``at_most`` says from which side."""

    name: str
    value: float
    unit: str
    goal: float
    at_most: bool = False
    peer: str
    detail: str

    @property
    def reached(self) -> bool:
        return self.value <= self.goal if self.at_most else self.value >= self.goal


def median(runs: Sequence[float]) -> float:
    return statistics.median(runs)


def spread(runs: Sequence[float]) -> str:
    """Lowest and highest run, beside the median."""
    return f"{min(runs):,.0f}…{max(runs):,.0f}"

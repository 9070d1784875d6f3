"""The committed tables: one Markdown file a service, a row a route, a column a kind of caller."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.guards.authorization.cast import CALLERS

FOLDER = Path(__file__).parent
OUTCOMES = frozenset({"yes", "401", "403", "404"})
DOOR = "door"
"""In the column ``about``: there is no object behind the id in the path, the row is about scope and role alone."""


@dataclass(frozen=True)
class Row:
    """What is expected of one route: what the request is about, and the outcome for each kind of caller."""

    route: str
    about: str
    expected: Mapping[str, str]

    @property
    def method(self) -> str:
        return self.route.split(" ")[0]

    @property
    def path(self) -> str:
        return self.route.split(" ")[1]


def read_table(service: str) -> list[Row]:
    """The rows of a service. Raises: ValueError, for a table that is not of our form."""
    rows = []
    lines = (FOLDER / f"{service}.md").read_text().splitlines()
    header, _, *body = [_cells(line) for line in lines if line.startswith("|")]
    if header != ["route", "about", *CALLERS]:
        raise ValueError(f"{service}.md: the columns are {header}")
    for route, about, *outcomes in body:
        if len(outcomes) != len(CALLERS) or not set(outcomes) <= OUTCOMES:
            raise ValueError(f"{service}.md: {route} has the outcomes {outcomes}")
        rows.append(Row(route.strip("`"), about, dict(zip(CALLERS, outcomes, strict=True))))
    return rows


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]

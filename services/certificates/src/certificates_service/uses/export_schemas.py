"""HTTP shapes of the export of one's licences."""

from datetime import datetime
from typing import Self

from pydantic import ConfigDict, Field

from certificates_service.licences.schemas import LicenceRead
from certificates_service.uses.export import ExportedLicence
from certificates_service.uses.handlers import MOST_USES
from certificates_service.uses.schemas import UseRead


class LicenceExport(LicenceRead):
    """A licence in clear, as it is handed to its holder."""

    model_config = ConfigDict(json_schema_extra=None)  # the example of the list lacks the fields below

    surface: dict[str, str] = Field(description="Every field of the licence, in clear.")
    uses: list[UseRead] = Field(description=f"Who looked at it: the newest {MOST_USES}.")

    @classmethod
    def shown(cls, one: ExportedLicence, now: datetime) -> Self:
        """With its status as it is now."""
        values = LicenceRead.values(one.licence, now)
        return cls(**values, surface=one.surface, uses=[UseRead.of(use) for use in one.uses])

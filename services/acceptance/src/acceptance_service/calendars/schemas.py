"""HTTP shapes of the work calendar."""

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from gov_rules.notices import NoticeDay


class NoticeDayBody(BaseModel):
    """One day that a notice names."""

    model_config = ConfigDict(extra="forbid")

    date: date
    kind: NoticeDay
    name: str = Field(min_length=1, max_length=40)


class NoticeBody(BaseModel):
    """A holiday notice 节假日安排通知: all its days off and make-up working days."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "version": "cn-2026.2",
                    "source": "国办发明电〔2026〕5号",
                    "amends": True,
                    "days": [{"date": "2026-12-31", "kind": "holiday", "name": "元旦"}],
                }
            ]
        },
    )

    version: str = Field(max_length=20, description="The version that the calendar gets, e.g. `cn-2027.1`.")
    source: str = Field(min_length=1, max_length=200)
    amends: bool = Field(default=False, description="Names only the days that changed.")
    days: list[NoticeDayBody] = Field(min_length=1, max_length=120)


class NoticeRead(BaseModel):
    """A loaded notice."""

    model_config = ConfigDict(from_attributes=True)

    version: str
    year: int
    source: str
    amends: bool


class CalendarRead(BaseModel):
    """The calendar that applies now."""

    version: str
    published_through: int = Field(description="Last year with a published notice.")
    missing_years: list[int] = Field(
        description="Alarm: deadlines reach these years and are provisional, load their notice."
    )
    notices: list[NoticeRead]

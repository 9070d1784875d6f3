"""What every body of identity has in common."""

from pydantic import BaseModel, ConfigDict


class Input(BaseModel):
    """A request body: a field that is not known is an error."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Output(BaseModel):
    """An answer, read from a row or from our own facts."""

    model_config = ConfigDict(from_attributes=True)

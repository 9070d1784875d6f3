"""HTTP shapes of uploads."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class FileRead(BaseModel):
    """An uploaded file."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a5f0-5c1e-7d54-9d6a-0d2c3f6b7a10",
                    "name": "场所平面布置图.pdf",
                    "media_type": "application/pdf",
                    "size": 48213,
                    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                    "scan": "NOT_SCANNED",
                    "created_at": "2026-07-01T02:03:04Z",
                }
            ]
        },
    )

    id: UUID
    name: str
    media_type: str = Field(description="Sniffed from the content.")
    size: int = Field(description="Bytes, after metadata was stripped from pictures.")
    sha256: str
    scan: str
    created_at: datetime


class FileLink(BaseModel):
    """A link that opens a file without login until it expires."""

    path: str
    expires_at: datetime

"""HTTP shapes of cards."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from acceptance_service.supervision.domain import CardStatus
from service_common.contracts.acceptance import CardLevel


class ExplanationBody(BaseModel):
    """What the department says to a card."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "申请人补充材料较晚，期间已电话告知。"}]}
    )

    text: str = Field(min_length=1, max_length=4000)


class VerdictBody(BaseModel):
    """How supervision verified a card."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"uphold": False, "reasons": "系统故障导致误发。"}]}
    )

    uphold: bool = Field(description="False cancels the card 撤牌.")
    reasons: str = Field(min_length=1, max_length=4000)


class CardRead(BaseModel):
    """A warning, yellow or red card."""

    id: UUID
    case_id: UUID
    project_no: str
    item_name: str
    department_id: UUID
    division: str
    rule: str
    level: CardLevel
    status: CardStatus
    reached_at: datetime = Field(description="When the threshold was reached.")
    issued_at: datetime
    evidence: dict[str, Any]
    explanation: str | None
    verdict: str | None

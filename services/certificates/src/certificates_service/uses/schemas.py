"""HTTP shapes of uses."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from certificates_service.uses.domain import GROUNDS, MODE_LABELS, Purpose
from certificates_service.uses.handlers import ShownUse
from service_common.contracts.certificates import UseMode


class VerifierRead(BaseModel):
    """Who looked: a department, a service of the platform, or somebody without login."""

    kind: str = Field(description="`staff`, `client`, `person` or `anonymous`.")
    department_id: UUID | None = None
    department_name: str | None = None


class UseRead(BaseModel):
    """One look at a licence."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a5b0-4444-7c11-8a44-3f6a2b1c9d10",
                    "at": "2026-11-23T02:00:00Z",
                    "mode": "FETCHED",
                    "mode_label": "调用照面数据",
                    "purpose_code": "PREFILL",
                    "purpose_label": "办事表单预填",
                    "legal_basis": "政务数据共享条例（国令第809号）",
                    "case_or_application_id": "0197a5b0-2222-7c11-8a44-3f6a2b1c9d10",
                    "fields": ["名称", "住所"],
                    "verifier": {"kind": "client", "department_id": None, "department_name": None},
                }
            ]
        }
    )

    id: UUID
    at: datetime
    mode: UseMode
    mode_label: str
    purpose_code: Purpose
    purpose_label: str
    legal_basis: str
    case_or_application_id: UUID | None = None
    fields: list[str] = Field(
        description="The surface fields that were handed out; empty: none or masked ones only."
    )
    verifier: VerifierRead
    shown_by: UUID | None = Field(
        default=None, description="Who held it up: the holder, or who acted for them."
    )

    @classmethod
    def of(cls, shown: ShownUse) -> "UseRead":
        use = shown.use
        return cls(
            id=use.id,
            at=use.at,
            mode=use.mode,
            mode_label=MODE_LABELS[use.mode],
            purpose_code=use.purpose,
            purpose_label=GROUNDS[use.purpose].label,
            legal_basis=use.legal_basis,
            case_or_application_id=use.about_id,
            fields=use.fields,
            verifier=VerifierRead(
                kind=use.verifier_kind,
                department_id=use.verifier_department_id,
                department_name=shown.department_name,
            ),
            shown_by=use.shown_by,
        )

"""HTTP shapes of savings."""

from pydantic import BaseModel, ConfigDict, Field

from acceptance_service.bundles.savings import Savings


class FigureRead(BaseModel):
    """One measure. ``before`` is null when a guide is lacking; ``before_known`` is then a lower bound."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "measure": "materials",
                    "label": "申请材料（份）",
                    "before": None,
                    "before_known": 13,
                    "lacking_items": ["HN-430300-43TCP0018-05"],
                    "after": 13,
                    "saved": None,
                    "saved_at_least": 0,
                    "notes": ["目录缺少 1 个事项的办事指南，办理前的数字只能给出下限。"],
                }
            ]
        }
    )

    measure: str
    label: str
    before: int | None
    before_known: int
    lacking_items: list[str]
    after: int | None
    saved: int | None
    saved_at_least: int | None
    notes: list[str]


_MEASURES = {
    "applications": "申请次数",
    "materials": "申请材料（份）",
    "form_fields": "填写字段（个）",
    "working_days": "承诺时限（工作日）",
    "visits": "到现场次数",
}


class ReformRead(BaseModel):
    """The source's own figures, unchanged; null where it gives none."""

    model_config = ConfigDict(from_attributes=True)

    steps_before: int | None
    steps_after: int | None
    limit_before: int | None
    limit_after: int | None
    materials_before: int | None
    materials_after: int | None
    visits_before: int | None
    visits_after: int | None


class SavingsRead(BaseModel):
    """What the bundle spares on this path, computed from the catalogue, beside the source's own figures."""

    bundle_code: str
    bundle_version: int
    title: str
    division: str
    answers: dict[str, str | list[str]]
    complete: bool
    items: list[str]
    figures: list[FigureRead]
    materials_in_form: int = Field(description="Of the materials after: collected by the joint form.")
    materials_replaceable: int = Field(
        description="Of the materials after: can be replaced by a licence, verified data or a promise."
    )
    reform: ReformRead

    @classmethod
    def of(cls, savings: Savings) -> "SavingsRead":
        plan = savings.plan
        assert plan.bundle_code is not None
        assert plan.bundle_version is not None
        return cls(
            bundle_code=plan.bundle_code,
            bundle_version=plan.bundle_version,
            title=plan.title,
            division=plan.division,
            answers=plan.answers,
            complete=plan.complete,
            items=[one.item_code for one in plan.items],
            figures=[
                FigureRead(
                    measure=one.measure,
                    label=_MEASURES[one.measure],
                    before=one.before,
                    before_known=one.before_known,
                    lacking_items=list(one.lacking_items),
                    after=one.after,
                    saved=one.saved,
                    saved_at_least=one.saved_at_least,
                    notes=list(one.notes),
                )
                for one in savings.figures
            ],
            materials_in_form=savings.materials_in_form,
            materials_replaceable=savings.materials_replaceable,
            reform=ReformRead.model_validate(savings.reform),
        )

"""A licence of the owner, issued by the own department."""

from pathlib import Path

from tests.guards.authorization.cast import CITY, OWN, OWNER
from tests.guards.authorization.rooms import Objects, Room

from certificates_service.departments.models import Department
from certificates_service.types.handlers import import_types
from certificates_service.types.schemas import LicenceTypeFile
from service_common.clock import utc_now
from service_common.db import new_id
from service_common.departments import DepartmentState, keep_departments

_TYPES_FILE = Path(__file__).parents[4] / "data" / "licence_types.json"
_OWN_USCC = "11990000LB0000417L"
_ID_CARD = "11100000000013127D001"
_GROUNDS = {
    "suspend": "PENALTY_SUSPENSION",
    "resume": "SUSPENSION_SERVED",
    "withdraw": "PENALTY_WITHDRAWAL",
    "cancel": "HOLDER_DIED_OR_INCAPABLE",
}


async def furnish(room: Room) -> Objects:
    """Makes them; those who may make them do so where that is quick."""
    types = LicenceTypeFile.model_validate_json(_TYPES_FILE.read_bytes())
    own = DepartmentState(OWN, _OWN_USCC, "示例市公安局", CITY, True, 1)
    async with room.app.state.database.sessions() as session, session.begin():
        known = [one.definition() for one in types.licence_types if one.code == _ID_CARD]
        await import_types(session, known, kinds=types.kinds, now=utc_now())
        await keep_departments(session, Department, [own])
    order = {
        "type_code": _ID_CARD,
        "holder": {"kind": "NATURAL_PERSON", "id": str(OWNER)},
        "issuer_department_id": str(OWN),
        "surface": {"姓名": "王小麦", "公民身份号码": "990101199001010019", "住址": "示例市谷雨路1号"},
        "valid_from": "2026-01-01",
    }
    licence = await room.create("service", "/certificates/v1/licences", order)
    licences = "/certificates/v1/licences"
    return Objects(
        {"licence_id": licence["id"], "holder_id": str(OWNER)},
        bodies={
            f"POST {licences}": order,
            f"POST {licences}/batches": {"licences": [order]},
            f"POST {licences}/{{licence_id}}/versions": {
                name: order[name] for name in ("surface", "valid_from")
            },
            f"POST {licences}/{{licence_id}}/fetch": {
                "case_or_application_id": str(new_id()), "fields": ["姓名"], "purpose_code": "PREFILL",
            },
            **{
                f"POST {licences}/{{licence_id}}/{action}": {"reason": reason, "document_no": "示公撤〔2026〕1号"}
                for action, reason in _GROUNDS.items()
            },
        },
    )  # fmt: skip

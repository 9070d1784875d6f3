"""A ticket of the owner, dispatched to the own department."""

from tests.guards.authorization.cast import CITY, HOTLINE_CENTRE, OTHER, OWN
from tests.guards.authorization.rooms import Objects, Room

from hotline_service.departments.models import Department
from service_common.departments import DepartmentState, keep_departments


async def furnish(room: Room) -> Objects:
    """Makes them; those who may make them do so where that is quick."""
    async with room.app.state.database.sessions() as session, session.begin():
        known = [
            DepartmentState(one, "11990301MB0000017W", f"示例部门{str(one)[-3:]}", CITY, short_name="示例")
            for one in (OWN, OTHER, HOTLINE_CENTRE)
        ]
        await keep_departments(session, Department, known)
    body = {"kind": "COMPLAINT", "content": "楼下饭店油烟直排。", "division": CITY[:6]}
    ticket = await room.create("owner", "/hotline/v1/tickets", body)
    path = f"/hotline/v1/tickets/{ticket['id']}/dispatch"
    order = {"department_id": str(OWN)}
    sent = await room.ask("hotline agent", "POST", path, json=order, **{"If-Match": f'"{ticket["version"]}"'})
    assert sent.status_code == 200, sent.text
    return Objects({"ticket_id": ticket["id"]})

"""A bad review of the owner about the own department, with its rectification."""

from sqlalchemy import select
from tests.guards.authorization.cast import CITY, OWN, OWNER
from tests.guards.authorization.rooms import Objects, Room

from evaluation_service.invitations.domain import Contact
from evaluation_service.invitations.handlers import invite
from evaluation_service.invitations.models import Invitation
from evaluation_service.rectifications.models import Rectification
from service_common.clock import utc_now
from service_common.contracts.evaluation import ContactKind
from service_common.db import new_id


async def furnish(room: Room) -> Objects:
    """Makes them; those who may make them do so where that is quick."""
    contact = Contact(
        kind=ContactKind.CASE,
        id=new_id(),
        number=1,
        reference="11990301MB0000017W30001310240002026112200001",
        department_id=OWN,
        division=CITY,
        item_code="XT-FOOD-LICENCE",
        item_name="食品经营许可",
    )
    async with room.app.state.database.sessions() as session, session.begin():
        await invite(session, room.app.state.key_ring, contact, person_id=OWNER, valid_days=10, now=utc_now())
        invitation = (await session.scalars(select(Invitation.id))).one()
    body = {"invitation_id": str(invitation), "grade": "DISSATISFIED", "reasons": ["207"]}
    review = await room.create("owner", "/evaluation/v1/reviews", body)
    async with room.app.state.database.sessions() as session:
        rectification = (await session.scalars(select(Rectification.id))).one()
    return Objects(
        {"review_id": review["id"], "rectification_id": str(rectification)},
        bodies={"POST /evaluation/v1/reviews": body},
    )

"""Drawing ticket numbers without collisions."""

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gov_rules.divisions import to_division_code
from gov_rules.identifiers import compose_ticket_number
from hotline_service.numbering.models import TicketSerial
from service_common.clock import local_date


async def draw_ticket_number(session: AsyncSession, division: str, now: datetime) -> str:
    """The next number of a division on this local day (standards §1.8), as one statement that two callers cannot share.

    The row stays locked until the commit, so call it as late as possible: a rollback gives the number back.
    """
    code, day = to_division_code(division), local_date(now)
    statement = insert(TicketSerial).values(series=f"{code}:{day:%Y%m%d}", last=1)
    serial = await session.scalar(
        statement.on_conflict_do_update(
            index_elements=["series"], set_={"last": TicketSerial.last + 1}
        ).returning(TicketSerial.last)
    )
    assert serial is not None
    return compose_ticket_number(code, day, serial)

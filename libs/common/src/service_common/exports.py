"""A copy of one's data 个人信息复制 (个人信息保护法 art. 45): what every service's export asks of who wants it.

It is for the person alone, and opens in clear what is sealed: so no agent enters, and the log-in must be fresh.
"""

from datetime import datetime
from uuid import UUID

from service_common.auth import Caller

LOGIN_SECONDS = 15 * 60
"""How long after a log-in data can be exported."""


def check_exporter(caller: Caller, *, now: datetime) -> UUID:
    """The person whose data the caller gets: the own. Raises: NotAPerson, LoginTooOld."""
    person_id = caller.person_id
    caller.need_fresh_login(max_age=LOGIN_SECONDS, now=now)
    return person_id

"""Another phone number in the browser: the number, then the code that was sent to it and the password. Without JavaScript."""

from fastapi import APIRouter, Depends, Response

from identity_service.accounts.domain import SubjectKind
from identity_service.credentials.domain import WrongCurrentPassword
from identity_service.credentials.phone_change import NewPhone, change_phone
from identity_service.db import InTransactions
from identity_service.edge import need_sms
from identity_service.pages.browsers import CurrentVisit, PageRoute, Visit
from identity_service.pages.onward import OwnPage, log_in_first
from identity_service.pages.rendering import see_other
from identity_service.people.domain import CodePurpose, InvalidPhone, PhoneTaken, WrongPhoneCode
from identity_service.people.phone_pages import Steps, Text
from identity_service.sessions.browsing import login_at
from identity_service.sessions.models import LoginSession
from service_common.app import Now
from service_common.auth import PUBLIC
from service_common.errors import TooMany

PHONE_PAGE = OwnPage.PHONE.path

router = APIRouter(prefix=PHONE_PAGE, include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute)

_STEPS = Steps(PHONE_PAGE, CodePurpose.PHONE_CHANGE, "phone.html", done="phone_changed")


@router.get("")
async def show(visit: CurrentVisit, transactions: InTransactions, now: Now) -> Response:
    login = await _login(visit, transactions, now)
    return _elsewhere(visit, login) or _STEPS.first(visit, None)


@router.post("/code", dependencies=[Depends(need_sms)])
async def send(
    *, visit: CurrentVisit, transactions: InTransactions, now: Now, form_token: Text, phone: Text
) -> Response:
    """To who is logged in."""
    _STEPS.check_form(visit, form_token)
    elsewhere = _elsewhere(visit, await _login(visit, transactions, now))
    return elsewhere or await _STEPS.send(visit, transactions, phone, None, now=now)


@router.post("")
async def change(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    form_token: Text,
    phone: Text,
    code: Text,
    password: Text,
) -> Response:
    _STEPS.check_form(visit, form_token)
    login = await _login(visit, transactions, now)
    elsewhere = _elsewhere(visit, login)
    if login is None or elsewhere is not None:
        return elsewhere or _STEPS.first(visit, None)
    try:
        wish = NewPhone(phone, code, password)
        await change_phone(transactions, visit.ring, login.account_id, wish, now=now)
    except (InvalidPhone, PhoneTaken) as error:
        return _STEPS.first(visit, None, error, phone=phone)
    except WrongCurrentPassword as error:
        return _STEPS.second(visit, None, phone, error, wrong_field="password", code=code)
    except (WrongPhoneCode, TooMany) as error:
        return _STEPS.second(visit, None, phone, error)
    return see_other(f"{OwnPage.ACCOUNT.path}?done={_STEPS.done}")


async def _login(visit: Visit, transactions: InTransactions, now: Now) -> LoginSession | None:
    async with transactions() as session:
        return await login_at(visit, session, now)


def _elsewhere(visit: Visit, login: LoginSession | None) -> Response | None:
    """To the log-in; of staff, who have no phone here, to their account."""
    if login is None:
        return log_in_first(visit, OwnPage.PHONE)
    return None if login.kind is SubjectKind.PERSON else see_other(OwnPage.ACCOUNT.path)

"""Another phone number in the browser: the number, then the code that was sent to it and the password. Without JavaScript."""

from fastapi import APIRouter, Depends, Response

from identity_service.accounts.domain import SubjectKind
from identity_service.credentials.domain import WrongCurrentPassword
from identity_service.credentials.phone_change import NewPhone, change_phone
from identity_service.db import InTransactions
from identity_service.edge import need_sms
from identity_service.login.domain import FormNotOurs
from identity_service.pages.browsers import CurrentVisit, PageRoute, Visit
from identity_service.pages.display import display_of
from identity_service.pages.onward import OwnPage, log_in_first
from identity_service.pages.rendering import page, see_other
from identity_service.people.domain import CodePurpose, InvalidPhone, PhoneTaken, WrongPhoneCode
from identity_service.people.handlers.phone_codes import send_code
from identity_service.people.phone_pages import Text
from identity_service.sessions.browsing import login_at
from identity_service.sessions.models import LoginSession
from service_common.app import Now
from service_common.auth import PUBLIC
from service_common.errors import DomainError, TooMany

PHONE_PAGE = OwnPage.PHONE.path

router = APIRouter(prefix=PHONE_PAGE, include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute)

_PURPOSE = "phone"


@router.get("")
async def show(visit: CurrentVisit, transactions: InTransactions, now: Now) -> Response:
    login = await _login(visit, transactions, now)
    return _elsewhere(visit, login) or _form(visit, step=1)


@router.post("/code", dependencies=[Depends(need_sms)])
async def send(
    *, visit: CurrentVisit, transactions: InTransactions, now: Now, form_token: Text, phone: Text
) -> Response:
    """To who is logged in; on to the second step also when a code was sent just before, which can still be entered."""
    _check_form(visit, form_token)
    elsewhere = _elsewhere(visit, await _login(visit, transactions, now))
    if elsewhere is not None:
        return elsewhere
    language = display_of(visit.request, ui_locales="", again=None).language
    try:
        async with transactions() as session:
            await send_code(
                session,
                visit.ring,
                phone=phone,
                purpose=CodePurpose.PHONE_CHANGE,
                address=visit.address,
                language=language,
                now=now,
            )
    except InvalidPhone as error:
        return _form(visit, error, step=1, phone=phone, wrong_field="phone")
    except TooMany as error:
        return _form(visit, error, step=2, phone=phone)
    return _form(visit, step=2, phone=phone)


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
    _check_form(visit, form_token)
    login = await _login(visit, transactions, now)
    elsewhere = _elsewhere(visit, login)
    if login is None or elsewhere is not None:
        return elsewhere or _form(visit, step=1)
    try:
        wish = NewPhone(phone, code, password)
        await change_phone(transactions, visit.ring, login.account_id, wish, now=now)
    except (InvalidPhone, PhoneTaken) as error:
        return _form(visit, error, step=1, phone=phone, wrong_field="phone")
    except WrongCurrentPassword as error:
        return _form(visit, error, step=2, phone=phone, code=code, wrong_field="password")
    except (WrongPhoneCode, TooMany) as error:
        return _form(visit, error, step=2, phone=phone)
    return see_other(f"{OwnPage.ACCOUNT.path}?done=phone_changed")


async def _login(visit: Visit, transactions: InTransactions, now: Now) -> LoginSession | None:
    async with transactions() as session:
        return await login_at(visit, session, now)


def _elsewhere(visit: Visit, login: LoginSession | None) -> Response | None:
    """To the log-in; of staff, who have no phone here, to their account."""
    if login is None:
        return log_in_first(visit, OwnPage.PHONE)
    return None if login.kind is SubjectKind.PERSON else see_other(OwnPage.ACCOUNT.path)


def _check_form(visit: Visit, token: str) -> None:
    if not visit.form_is_ours(_PURPOSE, token):
        raise FormNotOurs


def _form(
    visit: Visit,
    error: DomainError | None = None,
    *,
    step: int,
    phone: str = "",
    code: str = "",
    wrong_field: str = "code",
) -> Response:
    waits = {"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else None
    return page(
        visit.request,
        "phone.html",
        status=429 if waits else 422 if error else 200,
        headers=waits,
        problem=error,
        step=step,
        phone=phone,
        code=code,
        wrong_field=wrong_field,
        interaction=None,
        form_token=visit.form_token(_PURPOSE),
        again=PHONE_PAGE,
    )

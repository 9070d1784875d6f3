"""A forgotten password is replaced in the browser. Works without JavaScript; tells of no account whether it exists."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Response

from identity_service.accounts.domain import PasswordUnsuitable
from identity_service.credentials.domain import ResetRefused
from identity_service.credentials.handlers import Reset, reset_password
from identity_service.db import InTransactions
from identity_service.edge import need_sms
from identity_service.pages.browsers import CurrentVisit, PageRoute
from identity_service.people.domain import CodePurpose, InvalidPhone
from identity_service.people.phone_pages import Steps
from service_common.app import Now
from service_common.auth import PUBLIC
from service_common.errors import TooMany

FORGOTTEN_PAGE = "/identity/forgotten-password"
STEPS = Steps(FORGOTTEN_PAGE, CodePurpose.PASSWORD_RESET, "forgotten_password.html", "password_reset")

router = APIRouter(
    prefix=FORGOTTEN_PAGE, include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute
)

_Text = Annotated[str, Form(max_length=200)]
_Interaction = Annotated[UUID | None, Form()]


@router.get("")
async def show(visit: CurrentVisit, interaction: Annotated[UUID | None, Query()] = None) -> Response:
    return STEPS.first(visit, interaction)


@router.post("/code", dependencies=[Depends(need_sms)])
async def send_code(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    form_token: _Text,
    phone: _Text,
    interaction: _Interaction = None,
) -> Response:
    STEPS.check_form(visit, form_token)
    return await STEPS.send(visit, transactions, phone, interaction, now=now)


@router.post("")
async def reset(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    form_token: _Text,
    phone: _Text,
    code: _Text,
    password: _Text,
    id_number_tail: _Text = "",
    interaction: _Interaction = None,
) -> Response:
    STEPS.check_form(visit, form_token)
    wish = Reset(phone, code, password, id_number_tail.strip() or None)
    try:
        await reset_password(transactions, visit.ring, wish, now=now)
    except InvalidPhone as error:
        return STEPS.first(visit, interaction, error, phone=phone)
    except PasswordUnsuitable as error:
        return STEPS.second(
            visit,
            interaction,
            phone,
            error,
            wrong_field="password",
            code=code,
            id_number_tail=id_number_tail,
        )
    except (ResetRefused, TooMany) as error:
        return STEPS.second(visit, interaction, phone, error)
    return STEPS.finished(interaction)

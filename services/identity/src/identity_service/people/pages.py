"""Signing up in the browser. Works without JavaScript."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Response

from identity_service.accounts.domain import PasswordUnsuitable, UsernameTaken, UsernameUnsuitable
from identity_service.db import InTransactions
from identity_service.edge import need_sms
from identity_service.pages.browsers import CurrentVisit, PageRoute
from identity_service.pages.display import display_of
from identity_service.people.domain import CodePurpose, InvalidPhone, PhoneTaken, WrongPhoneCode
from identity_service.people.handlers.sign_up import SignUp, sign_up
from identity_service.people.phone_pages import Steps
from service_common.app import Now
from service_common.auth import PUBLIC

SIGN_UP_PAGE = "/identity/sign-up"
STEPS = Steps(SIGN_UP_PAGE, CodePurpose.SIGN_UP, "sign_up.html", "signed_up")

router = APIRouter(prefix=SIGN_UP_PAGE, include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute)

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
async def register(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    form_token: _Text,
    phone: _Text,
    code: _Text,
    username: _Text,
    password: _Text,
    interaction: _Interaction = None,
) -> Response:
    STEPS.check_form(visit, form_token)
    language = display_of(visit.request, ui_locales="", again=None).language
    try:
        wish = SignUp(username, password, phone, code, language)
        await sign_up(transactions, visit.ring, wish, now=now)
    except (PhoneTaken, InvalidPhone) as error:
        return STEPS.first(visit, interaction, error, phone=phone)
    except WrongPhoneCode as error:
        return STEPS.second(visit, interaction, phone, error, username=username)
    except (UsernameTaken, UsernameUnsuitable, PasswordUnsuitable) as error:
        field = "password" if isinstance(error, PasswordUnsuitable) else "username"
        return STEPS.second(visit, interaction, phone, error, wrong_field=field, code=code, username=username)
    return STEPS.finished(interaction)

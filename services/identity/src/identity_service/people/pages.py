"""Signing up in the browser. Works without JavaScript."""

from fastapi import Response

from identity_service.accounts.domain import PasswordUnsuitable, UsernameTaken, UsernameUnsuitable
from identity_service.db import InTransactions
from identity_service.pages.browsers import CurrentVisit
from identity_service.pages.display import display_of
from identity_service.people.domain import CodePurpose, InvalidPhone, PhoneTaken, WrongPhoneCode
from identity_service.people.handlers.sign_up import SignUp, sign_up
from identity_service.people.phone_pages import Begun, Steps, Text, first_steps
from service_common.app import Now

SIGN_UP_PAGE = "/identity/sign-up"
STEPS = Steps(SIGN_UP_PAGE, CodePurpose.SIGN_UP, "sign_up.html", "signed_up")

router = first_steps(STEPS)


@router.post("")
async def register(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    form_token: Text,
    phone: Text,
    code: Text,
    username: Text,
    password: Text,
    interaction: Begun = None,
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

"""A forgotten password is replaced in the browser. Works without JavaScript; tells of no account whether it exists."""

from fastapi import Response

from identity_service.accounts.domain import PasswordUnsuitable
from identity_service.credentials.domain import ResetRefused
from identity_service.credentials.handlers import Reset, reset_password
from identity_service.db import InTransactions
from identity_service.pages.browsers import CurrentVisit
from identity_service.people.domain import CodePurpose, InvalidPhone
from identity_service.people.phone_pages import Begun, Steps, Text, first_steps
from service_common.app import Now
from service_common.errors import TooMany

FORGOTTEN_PAGE = "/identity/forgotten-password"
STEPS = Steps(FORGOTTEN_PAGE, CodePurpose.PASSWORD_RESET, "forgotten_password.html", "password_reset")

router = first_steps(STEPS)


@router.post("")
async def reset(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    form_token: Text,
    phone: Text,
    code: Text,
    password: Text,
    id_number_tail: Text = "",
    interaction: Begun = None,
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

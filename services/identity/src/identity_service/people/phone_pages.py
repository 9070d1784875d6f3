"""The two steps of what begins with a code to the phone: the number, then the code and what it is for.

The number travels in the form and never in an address. The second step is shown whatever the first one led to: it tells no
more than the answer of the API does.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Response

from identity_service.db import InTransactions, Transactions
from identity_service.edge import need_sms
from identity_service.login.domain import FormNotOurs
from identity_service.pages.browsers import CurrentVisit, PageRoute, Visit
from identity_service.pages.display import display_of
from identity_service.pages.rendering import page, see_other
from identity_service.people.domain import CodePurpose, InvalidPhone
from identity_service.people.handlers.phone_codes import send_code
from service_common.app import Now
from service_common.auth import PUBLIC
from service_common.errors import DomainError, TooMany

Text = Annotated[str, Form(max_length=200)]
Begun = Annotated[UUID | None, Form()]


@dataclass(frozen=True, slots=True)
class Steps:
    """Where they stand, what the code is for, and what the next page says when they are done."""

    path: str
    purpose: CodePurpose
    template: str
    done: str

    def check_form(self, visit: Visit, token: str) -> None:
        """Raises: FormNotOurs."""
        if not visit.form_is_ours(self.path, token):
            raise FormNotOurs

    async def send(
        self, visit: Visit, transactions: Transactions, phone: str, interaction: UUID | None, *, now: datetime
    ) -> Response:
        """Sends a code, and on to the second step; also when one was sent just before, so that it can still be entered."""
        language = display_of(visit.request, ui_locales="", again=None).language
        try:
            async with transactions() as session:
                await send_code(
                    session,
                    visit.ring,
                    phone=phone,
                    purpose=self.purpose,
                    address=visit.address,
                    language=language,
                    now=now,
                )
        except InvalidPhone as error:
            return self.first(visit, interaction, error, phone=phone)
        except TooMany as error:
            return self.second(visit, interaction, phone, error)
        return self.second(visit, interaction, phone)

    def first(
        self, visit: Visit, interaction: UUID | None, error: DomainError | None = None, *, phone: str = ""
    ) -> Response:
        """Asks for the phone number."""
        return self._show(visit, interaction, error, step=1, phone=phone, wrong_field="phone")

    def second(
        self,
        visit: Visit,
        interaction: UUID | None,
        phone: str,
        error: DomainError | None = None,
        *,
        wrong_field: str = "code",
        **typed: str,
    ) -> Response:
        """Asks for the code and the rest. ``typed`` is what need not be entered once more."""
        return self._show(
            visit, interaction, error, step=2, phone=phone, wrong_field=wrong_field, typed=typed
        )

    def finished(self, interaction: UUID | None) -> Response:
        """On to the log-in, and to whatever that was begun for."""
        begun = f"&interaction={interaction}" if interaction else ""
        return see_other(f"/identity/login?done={self.done}{begun}")

    def _show(
        self, visit: Visit, interaction: UUID | None, error: DomainError | None, **values: Any
    ) -> Response:
        waits = isinstance(error, TooMany)
        begun = f"?interaction={interaction}" if interaction else ""
        shown = page(
            visit.request,
            self.template,
            status=429 if waits else 422 if error else 200,
            headers={"Retry-After": str(error.retry_after)} if isinstance(error, TooMany) else None,
            problem=error,
            again=f"{self.path}{begun}",
            begun=begun,
            interaction=interaction,
            form_token=visit.form_token(self.path),
            **values,
        )
        return visit.remember(shown)


def first_steps(steps: Steps) -> APIRouter:
    """The pages of the first step; what the code is for is added to them."""
    router = APIRouter(
        prefix=steps.path, include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute
    )

    @router.get("")
    async def show(visit: CurrentVisit, interaction: Annotated[UUID | None, Query()] = None) -> Response:
        return steps.first(visit, interaction)

    @router.post("/code", dependencies=[Depends(need_sms)])
    async def send(
        *,
        visit: CurrentVisit,
        transactions: InTransactions,
        now: Now,
        form_token: Text,
        phone: Text,
        interaction: Begun = None,
    ) -> Response:
        steps.check_form(visit, form_token)
        return await steps.send(visit, transactions, phone, interaction, now=now)

    return router

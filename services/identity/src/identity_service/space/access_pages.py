"""Who looked at my data, in the browser."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Response

from identity_service.accounts.domain import SubjectKind
from identity_service.db import InTransactions
from identity_service.pages.browsers import CurrentVisit, PageRoute
from identity_service.pages.onward import OwnPage, log_in_first
from identity_service.pages.rendering import page, see_other
from identity_service.pages.wording import texts
from identity_service.profiles.handlers import Look, accesses_to
from identity_service.sessions.browsing import login_at
from service_common.app import Now
from service_common.auth import PUBLIC
from service_common.clock import SHANGHAI

ACCESSES_PAGE = OwnPage.ACCESSES.path

router = APIRouter(
    prefix=ACCESSES_PAGE, include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute
)

_SHOWN_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Word:
    """The key of a sentence for what we know, else the very word of who looked."""

    text: str
    is_key: bool

    @classmethod
    def of(cls, kind: str, name: str) -> "Word":
        key = f"accesses.{kind}_{name.lower()}"
        return cls(key, True) if key in texts("zh") else cls(name, False)


@dataclass(frozen=True, slots=True)
class Shown:
    """One look."""

    who: Sequence[Word]
    purpose: Word
    attributes: Sequence[Word]
    legal_basis: str | None
    reference: str | None
    at: str

    @classmethod
    def of(cls, look: Look) -> "Shown":
        row = look.entry
        names = dict.fromkeys(name for name in (look.department_name, look.client_name) if name)
        who = [Word(name, False) for name in names]
        if look.client_name is None:  # one of our own services; what a partner calls itself is no key of ours
            who.append(Word.of("client", row.client_id))
        return cls(
            who=who,
            purpose=Word.of("purpose", row.purpose),
            attributes=[Word.of("attribute", attribute) for attribute in row.attributes],
            legal_basis=row.legal_basis,
            reference=row.reference,
            at=f"{row.at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
        )


@router.get("")
async def show(
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    before: Annotated[UUID | None, Query()] = None,
) -> Response:
    async with transactions() as session:
        login = await login_at(visit, session, now)
        if login is None:
            return log_in_first(visit, OwnPage.ACCESSES)
        if login.kind is not SubjectKind.PERSON:
            return see_other(OwnPage.ACCOUNT.path)
        looks = await accesses_to(session, login.account_id, before=before, limit=_SHOWN_AT_ONCE)
    shown, more = looks[:_SHOWN_AT_ONCE], len(looks) > _SHOWN_AT_ONCE
    return page(
        visit.request,
        "accesses.html",
        looks=[Shown.of(look) for look in shown],
        older=f"{ACCESSES_PAGE}?{urlencode({'before': shown[-1].entry.id})}" if more else None,
    )

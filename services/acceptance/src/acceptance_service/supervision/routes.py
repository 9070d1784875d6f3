"""HTTP of cards."""

from typing import Annotated
from uuid import UUID

from acceptance_service.supervision import handlers
from acceptance_service.supervision.models import Card
from acceptance_service.supervision.schemas import CardRead, ExplanationBody, VerdictBody
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require, scope
from service_common.crypto import KeyRing
from service_common.db import Session
from service_common.idempotency import Once
from service_common.pages import Page, Paging

CARDS_READ = scope(
    "acceptance:cards.read",
    zh="查看监察牌",
    en="Read supervision cards",
    roles={"supervisor", "clerk", "approver", "partner"},
)
CARDS_EXPLAIN = scope(
    "acceptance:cards.explain",
    zh="对监察牌作出说明",
    en="Explain a card",
    roles={"approver", "clerk", "partner"},
)
CARDS_VERIFY = scope(
    "acceptance:cards.verify", zh="核定、撤销监察牌", en="Uphold or cancel cards", roles={"supervisor"}
)

router = api_router("supervision", prefix="/acceptance/v1/cards")


@router.get("", summary="Cards")
async def list_cards(
    *, session: Session, ring: Ring, paging: Paging, caller: Annotated[Caller, require(CARDS_READ)]
) -> Page[CardRead]:
    """Of a supervisor's division, or of the caller's own department; newest first."""
    after = paging.after(UUID)
    rows = await handlers.list_cards(
        session, caller=caller, after=after[0] if after else None, limit=paging.limit
    )
    return paging.page(rows, lambda card: (card.id,), lambda card: _show(card, ring))


@router.post("/{card_id}/explain", summary="Explain a card")
async def explain(
    *,
    card_id: UUID,
    body: ExplanationBody,
    session: Session,
    ring: Ring,
    now: Now,
    caller: Annotated[Caller, require(CARDS_EXPLAIN)],
    _once: Once,
) -> CardRead:
    """By the department that got it."""
    return _show(await handlers.explain_card(session, ring, card_id, body.text, caller=caller, now=now), ring)


@router.post("/{card_id}/verify", summary="Uphold or cancel a card")
async def verify(
    *,
    card_id: UUID,
    body: VerdictBody,
    session: Session,
    ring: Ring,
    now: Now,
    caller: Annotated[Caller, require(CARDS_VERIFY)],
    _once: Once,
) -> CardRead:
    """By supervision. A cancelled card stays on record, and its cancelling is an event of its own."""
    card = await handlers.verify_card(
        session, ring, card_id, body.reasons, uphold=body.uphold, caller=caller, now=now
    )
    return _show(card, ring)


def _show(card: Card, ring: KeyRing) -> CardRead:
    explanation, verdict = handlers.card_texts(card, ring)
    names = CardRead.model_fields.keys() - {"explanation", "verdict"}
    return CardRead(**{name: getattr(card, name) for name in names}, explanation=explanation, verdict=verdict)

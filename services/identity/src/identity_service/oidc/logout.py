"""Logging out: of the browser, and of the client that asked for it even where it has offline access."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from authlib.common.urls import add_params_to_uri
from authlib.oidc.rpinitiated.end_session import EndSessionRequest
from sqlalchemy import and_, select

from identity_service.oidc.backchannel import note_logouts
from identity_service.oidc.provider import Work
from identity_service.relying_parties.models import Client
from identity_service.sessions import handlers as sessions
from identity_service.sessions.models import Grant, LoginSession
from service_common.contracts.identity import SessionEndReason

# One page cannot wait for more; the newest come first.
_MOST_FRAMES = 50


@dataclass(frozen=True)
class Logout:
    """What would end."""

    login: LoginSession | None
    hinted: Grant | None

    @property
    def needs_confirmation(self) -> bool:
        """A page of somebody else could send the browser here. Only the ID token of this very session needs no asking."""
        if self.login is None:
            return False
        return self.hinted is None or self.hinted.login_session_id != self.login.id


async def plan_logout(work: Work, wish: EndSessionRequest, login: LoginSession | None) -> Logout:
    """Finds what the ID token in the request belongs to."""
    sid = (wish.id_token_claims or {}).get("sid")
    return Logout(login, await sessions.find_grant(work.session, UUID(sid)) if sid else None)


async def log_out(work: Work, plan: Logout) -> Sequence[str]:
    """Ends the browser's session with all its grants, and the grant that the hint names.

    An ID token without its browser ends what its own client has, and no more: whoever holds it may be that client's server,
    which has no say in what the person does elsewhere.

    Returns the addresses that the browser is to load in frames, so that clients forget it too (Front-Channel Logout 1.0).
    A client with offline access keeps that, but is told that the browser is logged out (Back-Channel Logout 1.0 §2.7).
    """
    reason = SessionEndReason.LOGOUT
    login, hinted = plan.login, plan.hinted
    frames: Sequence[str] = ()
    if login is not None:
        frames = await _frames(work, login.id)
        offline = and_(Grant.login_session_id == login.id, Grant.is_offline, Grant.ended_at.is_(None))
        await note_logouts(work.session, offline, now=work.now)
        await sessions.end_session(work.session, login.id, reason=reason, now=work.now)
    if hinted is not None and (living := await sessions.hold_grant(work.session, hinted.id)):
        await sessions.end_grant(work.session, living, reason=reason, now=work.now)
    return frames


async def _frames(work: Work, login_session_id: UUID) -> Sequence[str]:
    """With ``iss`` and ``sid``, so that nobody else's page can log somebody out of a client (§4)."""
    living = await work.session.execute(
        select(Client.frontchannel_logout_uri, Grant.id)
        .join(Grant, Grant.client_id == Client.client_id)
        .where(
            Grant.login_session_id == login_session_id,
            Grant.ended_at.is_(None),
            Grant.sits_in_id.is_(None),
            Client.is_active,
            Client.frontchannel_logout_uri.is_not(None),
        )
        .order_by(Grant.id.desc())
        .limit(_MOST_FRAMES)
    )
    issuer = work.settings.issuer
    return [add_params_to_uri(uri, [("iss", issuer), ("sid", str(sid))]) for uri, sid in living]

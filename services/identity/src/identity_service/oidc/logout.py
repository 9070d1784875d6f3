"""Logging out: of the browser, and of the client that asked for it even where it has offline access."""

from dataclasses import dataclass
from uuid import UUID

from authlib.oidc.rpinitiated.end_session import EndSessionRequest

from identity_service.oidc.provider import Work
from identity_service.sessions import handlers as sessions
from identity_service.sessions.models import Grant, LoginSession
from service_common.contracts.identity import SessionEndReason


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


async def log_out(work: Work, plan: Logout) -> None:
    """Ends the browser's session with all its grants, and the grant that the hint names."""
    reason = SessionEndReason.LOGOUT
    ids = {plan.login.id} if plan.login else set()
    if plan.hinted is not None:
        ids.add(plan.hinted.login_session_id)
        await sessions.end_grant(work.session, plan.hinted, reason=reason, now=work.now)
    for login_session_id in sorted(ids):
        await sessions.end_session(work.session, login_session_id, reason=reason, now=work.now)

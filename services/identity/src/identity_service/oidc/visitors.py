"""Who comes to the authorization endpoint: read by one statement with all that the answer depends on."""

from dataclasses import dataclass

from sqlalchemy import and_, bindparam, select

from identity_service.edge import session_limits
from identity_service.oidc.domain import Subject
from identity_service.oidc.models import Consent
from identity_service.oidc.provider import Work
from identity_service.oidc.subjects import subject_of, with_subject
from identity_service.sessions.handlers import hash_secret, is_living
from identity_service.sessions.models import LoginSession


@dataclass(frozen=True)
class Visitor:
    """A browser that is logged in; ``subject`` is None for one who may not be here any longer. ``allowed``: to this client, earlier."""

    login: LoginSession
    subject: Subject | None
    allowed: frozenset[str]


_VISITOR = with_subject(
    select(LoginSession, Consent.scopes.label("allowed")).outerjoin(
        Consent,
        and_(Consent.subject_id == LoginSession.account_id, Consent.client_id == bindparam("client_id")),
    ),
    LoginSession.account_id,
).where(LoginSession.secret_hash == bindparam("secret_hash"))


async def find_visitor(work: Work, secret: str | None, client_id: str) -> Visitor | None:
    """Whose living session the cookie names; notes that it is in use."""
    if not secret:
        return None
    asked = {"secret_hash": hash_secret(work.ring, secret), "client_id": client_id, "now": work.now}
    row = (await work.session.execute(_VISITOR, asked)).first()
    if row is None:
        return None
    login: LoginSession = row[0]
    if not await is_living(work.session, login, limits=session_limits(work.settings), now=work.now):
        return None
    return Visitor(login, subject_of(row, login.kind, login.account_id), frozenset(row.allowed or ()))

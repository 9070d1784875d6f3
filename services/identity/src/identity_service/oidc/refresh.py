"""Refresh with rotation, on Authlib's grant."""

from datetime import timedelta
from typing import Any

from authlib.oauth2.rfc6749.grants import RefreshTokenGrant
from sqlalchemy import select
from sqlalchemy.util.concurrency import await_

from identity_service.edge import session_limits
from identity_service.oidc.client_authentication import METHODS
from identity_service.oidc.clients import OAuthClient
from identity_service.oidc.domain import Subject
from identity_service.oidc.issuing import hash_refresh_token, issue, keep_refresh_token, successor_of
from identity_service.oidc.models import RefreshToken
from identity_service.oidc.possession import check_refresh_binding
from identity_service.oidc.provider import Provider, ProviderRequest, Work
from identity_service.oidc.subjects import load_subject
from identity_service.sessions import handlers as sessions
from identity_service.sessions.models import Grant
from service_common.contracts.identity import SessionEndReason


class TokenInHand:
    """A refresh token with its grant and subject, in the words in which Authlib asks."""

    def __init__(self, text: str, row: RefreshToken, grant: Grant, subject: Subject) -> None:
        self.text = text
        self.row = row
        self.grant = grant
        self.subject = subject

    def check_client(self, client: OAuthClient) -> bool:
        return self.grant.client_id == client.client_id

    def get_scope(self) -> str:
        return self.grant.scope


class RefreshGrant(RefreshTokenGrant):  # type: ignore[misc]  # Authlib ships no types
    """Refresh with rotation. Two refreshes at once meet in the row's lock: the second is a replay of the first."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True
    server: Provider
    request: ProviderRequest

    @property
    def work(self) -> Work:
        return self.server.work

    def authenticate_refresh_token(self, refresh_token: str) -> TokenInHand | None:
        return await_(self._usable(refresh_token))

    async def _usable(self, token: str) -> TokenInHand | None:
        work = self.work
        found = (
            await work.session.execute(
                select(RefreshToken, Grant)
                .join(Grant, Grant.id == RefreshToken.grant_id)
                .where(
                    RefreshToken.token_hash == hash_refresh_token(work.ring, token),
                    Grant.client_id == self.request.client.client_id,
                )
                .with_for_update()
            )
        ).first()
        if found is None:
            return None
        row, grant = found
        if grant.ended_at is not None or row.expires_at <= work.now:
            return None
        if not check_refresh_binding(grant, self.server.proof):
            return None
        if row.used_at is not None and self._is_reuse(row):
            await sessions.end_grant(work.session, grant, reason=SessionEndReason.SUSPICION, now=work.now)
            return None
        limits = session_limits(work.settings)
        if not grant.is_offline and not await sessions.living_session(
            work.session, grant.login_session_id, limits=limits, now=work.now
        ):
            return None
        subject = await load_subject(work.session, grant.kind, grant.subject_id, now=work.now)
        return TokenInHand(token, row, grant, subject) if subject else None

    def _is_reuse(self, row: RefreshToken) -> bool:
        assert row.used_at is not None
        return self.work.now - row.used_at > timedelta(seconds=self.work.settings.refresh_replay_seconds)

    def authenticate_user(self, refresh_token: TokenInHand) -> Subject:
        return refresh_token.subject

    def issue_token(self, user: Subject, refresh_token: TokenInHand) -> dict[str, Any]:
        token = issue(self.server, self.request, refresh_token.grant, user, self.request.payload.scope)
        # Bound and of a client that proves itself: FAPI 2.0 §5.3.2.1 then forbids rotation, which loses tokens to lost answers.
        if not self.request.client.is_high_trust:
            token["refresh_token"] = await_(self._rotate(refresh_token))
        return token

    async def _rotate(self, in_hand: TokenInHand) -> str:
        """The successor; for a replay the newest of the family, which is the only one that is not used up."""
        work = self.work
        token, row = in_hand.text, in_hand.row
        while row.used_at is not None:
            token = successor_of(work.ring, token, row.salt)
            row = await work.session.get_one(RefreshToken, hash_refresh_token(work.ring, token))
            if row.used_at is None:
                return token
        row.used_at = work.now
        successor = successor_of(work.ring, token, row.salt)
        keep_refresh_token(work, in_hand.grant, successor)
        return successor

    def revoke_old_credential(self, refresh_token: TokenInHand) -> None:
        """Nothing: it was used up when its successor was made."""

    def save_token(self, token: dict[str, Any]) -> None:
        """Nothing: see CodeGrant."""

"""What the grants of somebody have in common: an access token, and the first refresh token of a family."""

import base64
import os
from datetime import timedelta
from typing import Any

from identity_service.oidc.domain import Subject
from identity_service.oidc.models import RefreshToken
from identity_service.oidc.possession import bind_family
from identity_service.oidc.provider import InvalidTarget, Provider, ProviderRequest, Work
from identity_service.oidc.subjects import grantable
from identity_service.sessions.models import Grant
from service_common.crypto import KeyRing


def issue(
    provider: Provider, request: ProviderRequest, grant: Grant, subject: Subject, scope: str | None = None
) -> dict[str, Any]:
    """An access token of a grant, for what the subject's roles still allow and what was asked of it now."""
    scopes = frozenset((scope or grant.scope).split())
    scopes &= grantable(provider.work.catalogue, request.client, subject) & request.client.scopes
    asked = request.payload.resource
    if grant.resource is not None and asked not in (None, grant.resource):
        raise InvalidTarget
    bind_family(grant, request.client, provider.proof)
    return provider.access_token(request.client, scopes, asked or grant.resource, subject, grant)


def first_refresh_token(work: Work, grant: Grant) -> str:
    """The first of a family: 256 random bits."""
    token = _text(os.urandom(32))
    keep_refresh_token(work, grant, token)
    return token


def keep_refresh_token(work: Work, grant: Grant, token: str) -> None:
    """Has a token of the grant's family accepted from now on, once."""
    work.session.add(
        RefreshToken(
            token_hash=hash_refresh_token(work.ring, token),
            grant_id=grant.id,
            salt=os.urandom(16),
            issued_at=work.now,
            expires_at=work.now + timedelta(days=work.settings.refresh_token_days),
        )
    )


def successor_of(ring: KeyRing, token: str, salt: bytes) -> str:
    """The next token of a family follows from the one before, its row's salt and our key.

    So a repeated refresh gives the same successor again without it being stored: the family never forks.
    """
    return _text(ring.blind_index(f"{salt.hex()}\x00{token}", column="refresh_tokens.successor"))


def hash_refresh_token(ring: KeyRing, token: str) -> bytes:
    return ring.blind_index(token, column="refresh_tokens.token_hash")


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()

"""Tokens that are bound to a client's key (RFC 9449 §5): proofs at our own endpoints, their nonces, and who must show them.

The rules for a proof are those of every service (``service_common.dpop``). A nonce is a keyed hash of the time, so that every
instance knows those of all others without storing one.
"""

import base64
from datetime import datetime
from typing import Any

from authlib.oauth2 import OAuth2Error

from identity_service.oidc.clients import OAuthClient
from identity_service.oidc.provider import Answer, InvalidDPoPProof, Work
from identity_service.sessions.models import Grant
from service_common import dpop
from service_common.crypto import KeyRing

# A nonce is good for this many seconds at least and twice as many at most.
_NONCE_SECONDS = 300
NONCE_HEADER = "DPoP-Nonce"


class UseDPoPNonce(OAuth2Error):  # type: ignore[misc]  # Authlib ships no types
    """The proof must carry the nonce that comes with this answer (RFC 9449 §8)."""

    error = "use_dpop_nonce"
    description = "The proof must carry the nonce of the DPoP-Nonce header."

    def __init__(self, nonce: str) -> None:
        super().__init__()
        self._nonce = nonce

    def get_headers(self) -> list[tuple[str, str]]:
        return [*super().get_headers(), (NONCE_HEADER, self._nonce)]


async def show_proof(work: Work, headers: Any, *, url: str) -> dpop.Proof | None:
    """The proof that a request to one of our endpoints shows; None when it shows none.

    Raises: InvalidDPoPProof, UseDPoPNonce.
    """
    shown = headers.getlist(dpop.HEADER)
    if not shown:
        return None
    if len(shown) > 1:
        raise InvalidDPoPProof
    try:
        proof = dpop.read_proof(shown[0], method="POST", url=url, now=work.now)
    except dpop.InvalidProof:
        raise InvalidDPoPProof from None
    missing = proof.nonce is None and work.settings.dpop_nonce_required
    if missing or (proof.nonce is not None and proof.nonce not in _good_nonces(work.ring, work.now)):
        raise UseDPoPNonce(current_nonce(work))
    if not await dpop.is_first_use(work.session, proof):
        raise InvalidDPoPProof
    return proof


def current_nonce(work: Work) -> str:
    """The nonce to use from now on."""
    return _nonce(work.ring, _period(work.now))


def give_nonce(work: Work, answer: Answer) -> Answer:
    """Puts the nonce on an answer to who has shown a proof, so that the next one need not be refused first."""
    answer.headers.setdefault(NONCE_HEADER, current_nonce(work))
    return answer


def _period(now: datetime) -> int:
    return int(now.timestamp()) // _NONCE_SECONDS


def _nonce(ring: KeyRing, period: int) -> str:
    keyed = ring.blind_index(str(period), column="dpop_nonce")
    return base64.urlsafe_b64encode(keyed[:16]).rstrip(b"=").decode()


def _good_nonces(ring: KeyRing, now: datetime) -> set[str]:
    return {_nonce(ring, _period(now) - back) for back in (0, 1)}


def check_refresh_binding(grant: Grant, proof: dpop.Proof | None) -> bool:
    """Whether a refresh is made with the key that the family of a public client was given to."""
    return grant.dpop_jkt is None or (proof is not None and proof.jkt == grant.dpop_jkt)


def bind_family(grant: Grant, client: OAuthClient, proof: dpop.Proof | None) -> None:
    """Refresh tokens of a public client are bound too: nothing else protects them (RFC 9449 §5)."""
    if proof is not None and client.is_public and grant.dpop_jkt is None:
        grant.dpop_jkt = proof.jkt

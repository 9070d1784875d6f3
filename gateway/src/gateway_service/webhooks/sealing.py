"""Secrets of receivers at rest: sealed with the service's key ring, each for its column."""

from datetime import datetime

from gateway_service.webhooks.models import WebhookEndpoint
from gateway_service.webhooks.signing import SigningMaterial
from service_common.crypto import KeyRing

_SECRET = "webhook_endpoints.secret"  # noqa: S105 - the name of a column
_SIGNING_KEY = "webhook_endpoints.signing_key"


def seal_secret(ring: KeyRing, secret: str) -> bytes:
    return ring.encrypt(secret, column=_SECRET)


def seal_key(ring: KeyRing, private_key: str) -> bytes:
    return ring.encrypt(private_key, column=_SIGNING_KEY)


def material_of(endpoint: WebhookEndpoint, ring: KeyRing, *, now: datetime) -> SigningMaterial:
    """What this receiver's messages are signed with now."""
    secrets = [ring.decrypt(endpoint.secret, column=_SECRET)]
    if endpoint.previous_secret and endpoint.previous_secret_until and now < endpoint.previous_secret_until:
        secrets.append(ring.decrypt(endpoint.previous_secret, column=_SECRET))
    return SigningMaterial(secrets, ring.decrypt(endpoint.signing_key, column=_SIGNING_KEY))

"""Standard Webhooks signatures over the exact bytes sent: ``v1`` (HMAC-SHA-256) and ``v1a`` (ed25519)."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook

_SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class SigningMaterial:
    """What one receiver's messages are signed with; several secrets while one replaces the other."""

    secrets: Sequence[str]
    private_key: str


def new_secret() -> str:
    """A shared secret in the form of the specification."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def new_key_pair() -> tuple[str, str]:
    """An ed25519 key pair in the form of the specification: private (``whsk_``), public (``whpk_``)."""
    key = Ed25519PrivateKey.generate()
    private = "whsk_" + base64.b64encode(key.private_bytes_raw()).decode()
    public = "whpk_" + base64.b64encode(key.public_key().public_bytes_raw()).decode()
    return private, public


def signed_headers(
    message_id: UUID, body: str, material: SigningMaterial, *, now: datetime
) -> dict[str, str]:
    """The three headers of the specification. The id is the same in every try, the time is that of this one."""
    name = f"msg_{message_id}"
    signatures = [Webhook(secret).sign(name, now, body) for secret in material.secrets]
    timestamp = str(int(now.timestamp()))
    private = Ed25519PrivateKey.from_private_bytes(
        base64.b64decode(material.private_key.removeprefix("whsk_"))
    )
    asymmetric = private.sign(f"{name}.{timestamp}.{body}".encode())
    signatures.append("v1a," + base64.b64encode(asymmetric).decode())
    return {
        "webhook-id": name,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }

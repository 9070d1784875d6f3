"""What identity must be told from outside, beyond what every service is told."""

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from identity_service.organisation.domain import Role
from service_common.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read from ``IDENTITY_…``."""

    model_config = SettingsConfigDict(env_prefix="IDENTITY_", frozen=True, extra="ignore")

    authority_url: str = Field(description="Base address of the register that confirms names and numbers.")
    scopes_file: Path | None = Field(
        default=None,
        description="JSON list of `{name, zh, en, roles}` from all services' OpenAPI; none: identity's own alone.",
    )
    service_clients_file: Path | None = Field(
        default=None,
        description="JSON list of `{client_id, jwks, scopes?}`: our own services, who prove themselves with private_key_jwt.",
    )
    allow_fixture_identities: bool = Field(
        default=False, description="Admit invented identity numbers (prefix 99). For demonstrations only."
    )

    sms_outbox_file: Path | None = Field(
        default=None, description="Development: text messages are appended here as JSON lines, not sent."
    )
    sms_gateway_url: str | None = Field(
        default=None, description="HTTP gateway that sends text messages: `POST {to, text, id}`."
    )
    sms_gateway_token: SecretStr | None = Field(default=None, description="Bearer token of the SMS gateway.")

    serves_sandbox: bool = Field(
        default=False, description="Accept sandbox clients: only on a platform that has no real people."
    )
    four_eyes_roles: frozenset[Role] = Field(
        default=frozenset({Role.OPERATOR, Role.SUPERVISOR}),
        description="Roles that one operator asks for and another one grants, as a JSON list. Empty where one operator is all "
        "there is, as in the demonstration.",
    )
    representative_least_level: int = Field(
        default=3,
        description="Trust level that the representative of a legal person needs (standards: 3); the demonstration, whose people "
        "are verified to level 2, runs with 2.",
    )
    legal_person_check_days: int = Field(
        default=30, description="How often the register is asked again who represents a legal person."
    )
    face_days: int = Field(default=365, description="How long a face comparison keeps up trust level 3.")
    network_identity_days: int = Field(
        default=365, description="How long a network identity 网证 keeps up trust level 3."
    )
    counter_days: int = Field(
        default=1095, description="How long a check at a counter keeps up trust level 4."
    )

    access_token_seconds: int = Field(
        default=300, le=300, description="Life of an access token; services rely on at most 300."
    )
    id_token_seconds: int = Field(default=300, description="Life of an ID token.")
    further_id_token_algorithms: frozenset[Literal["EdDSA", "RS256"]] = Field(
        default=frozenset({"EdDSA", "RS256"}),
        description="With which a client can have its ID tokens signed instead of ES256; there is a key for each.",
    )
    dpop_nonce_required: bool = Field(
        default=False, description="Whether proofs at the token endpoint must carry our nonce (RFC 9449 §8)."
    )
    code_seconds: int = Field(default=60, description="Life of an authorization code.")
    device_code_seconds: int = Field(
        default=600, description="How long a device waits to be let in (RFC 8628)."
    )
    logout_loopback_allowed: bool = Field(
        default=False,
        description="Tell clients on loopback of logouts, over plain HTTP too: for one machine, never in production.",
    )
    pushed_request_seconds: int = Field(
        default=90, description="Life of a pushed authorization request (RFC 9126)."
    )
    refresh_token_days: int = Field(default=30, description="Life of an unused refresh token.")
    refresh_replay_seconds: int = Field(
        default=10, description="How long after its use a refresh token gives its successor once more."
    )
    delegation_least_level: int = Field(
        default=3,
        ge=1,
        le=4,
        description="Trust level that both sides of a delegation need; the demonstration, whose people are verified to level 2, "
        "runs with 2.",
    )
    delegation_sitting_minutes: int = Field(
        default=60, description="How long an agent may go on in one use of a delegation."
    )
    password_hashes_at_once: int | None = Field(
        default=None,
        ge=1,
        description="How many passwords a process checks at once, 64 MiB each; none: one for each processor.",
    )
    password_hashes_waiting: int = Field(
        default=64, ge=0, description="How many more may wait for it; who comes then is asked to come again."
    )
    session_idle_minutes: int = Field(default=60, description="A log-in session ends when unused this long.")
    session_hours: int = Field(default=12, description="Longest life of a log-in session.")
    interaction_minutes: int = Field(default=30, description="How long a started log-in may take.")
    signing_key_lead_seconds: int = Field(
        default=900,
        description="How long a new key is published before it signs; must outlast every cache of keys.",
    )
    signing_key_kept_days: int = Field(
        default=30, description="How long a replaced key stays published, for logout hints of old ID tokens."
    )

    @property
    def authorization_endpoint(self) -> str:
        return f"{self.issuer}/authorize"

    @property
    def token_endpoint(self) -> str:
        return f"{self.issuer}/token"

    @property
    def device_authorization_endpoint(self) -> str:
        return f"{self.issuer}/device_authorization"

    @property
    def device_page(self) -> str:
        """Where people let devices in."""
        return f"{self.issuer}/device"

    @property
    def pushed_request_endpoint(self) -> str:
        return f"{self.issuer}/par"

    @property
    def web_origin(self) -> str:
        """What a browser calls us, for passkeys: they work at no other origin (WebAuthn §13.4.9)."""
        parts = urlsplit(self.issuer)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def relying_party_id(self) -> str:
        """The host that passkeys are bound to (WebAuthn §5.1.2)."""
        return urlsplit(self.issuer).hostname or ""

    @property
    def is_https(self) -> bool:
        """Whether cookies can be marked ``Secure``."""
        return self.issuer.startswith("https://")

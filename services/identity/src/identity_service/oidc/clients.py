"""Clients as the OpenID provider sees them: our own services from a file, all others from the table."""

import hmac
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749 import ClientMixin
from joserfc.jwk import Key, KeySet
from pydantic import BaseModel, ConfigDict, TypeAdapter
from sqlalchemy import LargeBinary, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.organisation.models import Department
from identity_service.relying_parties.domain import (
    ALL_SCOPES,
    CLIENT_ID,
    Authentication,
    GrantType,
    SecurityProfile,
    redirect_matches,
)
from identity_service.relying_parties.handlers import hash_secret
from identity_service.relying_parties.models import Client, ClientSecret
from identity_service.scopes import ScopeCatalogue
from identity_service.signing.domain import ALGORITHM
from service_common.crypto import KeyRing

SERVICE_ROLE = "service"
PARTNER_ROLE = "partner"


class ServiceClientEntry(BaseModel):
    """One of our own services in the clients file."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    client_id: str
    jwks: dict[str, Any]
    scopes: frozenset[str] | None = None


@dataclass(frozen=True)
class OAuthClient(ClientMixin):  # type: ignore[misc]  # Authlib ships no types
    """A client with the answers that Authlib asks for."""

    client_id: str
    name: str
    authentication: Authentication
    grant_types: frozenset[str]
    scopes: frozenset[str]
    roles: frozenset[str]
    jwks: dict[str, Any] | None = None
    secret_hashes: Sequence[bytes] = field(default=(), repr=False)
    redirect_uris: Sequence[str] = ()
    client_metadata: Mapping[str, Any] = field(default_factory=dict)
    department_id: UUID | None = None
    division: str | None = None
    is_first_party: bool = False
    requires_pushed_requests: bool = False
    requires_proof: bool = False
    is_high_trust: bool = False
    id_token_algorithm: str = ALGORITHM
    ring: KeyRing | None = field(default=None, repr=False)

    @property
    def is_public(self) -> bool:
        """Whether it cannot keep a secret, so that nothing but a bound key tells its requests from a thief's."""
        return self.authentication is Authentication.NONE

    @property
    def sector(self) -> str:
        """Whose pairwise identifiers are the same: one department's, never those of two (OpenID Connect Core §8.1)."""
        return str(self.department_id or self.client_id)

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """None: OpenID Connect asks for it in every request (Core §3.1.2.1)."""

    def get_allowed_scope(self, scope: str | None) -> str | None:
        """The asked scopes that this client may have, all of them when none is asked; None when nothing is left."""
        wanted = scope.split() if scope else sorted(self.scopes)
        allowed = [name for name in dict.fromkeys(wanted) if name in self.scopes]
        return " ".join(allowed) or None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        any_port = self.authentication is Authentication.NONE
        return any(redirect_matches(redirect_uri, known, any_port=any_port) for known in self.redirect_uris)

    def check_client_secret(self, client_secret: str) -> bool:
        assert self.ring is not None
        shown = hash_secret(self.ring, client_secret)
        return any([hmac.compare_digest(shown, known) for known in self.secret_hashes])  # noqa: C419 - same time for each

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002 - Authlib's signature
        if method == "client_secret_post":
            return self.authentication is Authentication.SECRET
        return method == self.authentication

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and self.check_grant_type(GrantType.AUTHORIZATION_CODE)

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in self.grant_types

    @cached_property
    def key_set(self) -> KeySet:
        """The public keys with which its assertions are verified: parsed once for each reading of the row."""
        return KeySet.import_key_set(self.jwks or {"keys": []})  # type: ignore[arg-type]  # checked at registration

    @cached_property
    def _chosen_keys(self) -> dict[tuple[str | None, str], Key]:
        return {}

    def choose_key(self, signature: Any) -> Key:
        """The key that a signature's header names, as joserfc chooses: looking through a set takes it longer than verifying.

        Raises: joserfc.errors.InvalidKeyIdError.
        """
        header = signature.headers()
        wanted = header.get("kid"), header["alg"]
        key = self._chosen_keys.get(wanted)
        if key is None:
            key = self.key_set.get_by_kid(wanted[0], {"alg": wanted[1], "use": "sig"})
            self._chosen_keys[wanted] = key
        return key


class ServiceClients:
    """Our own services: they authenticate with keys that the deployment hands out."""

    def __init__(self, entries: Sequence[ServiceClientEntry], catalogue: ScopeCatalogue) -> None:
        grantable = catalogue.grantable([SERVICE_ROLE])
        self._clients = {
            entry.client_id: OAuthClient(
                client_id=entry.client_id,
                name=entry.client_id,
                authentication=Authentication.PRIVATE_KEY,
                grant_types=frozenset({str(GrantType.CLIENT_CREDENTIALS)}),
                scopes=grantable if entry.scopes is None else grantable & entry.scopes,
                roles=frozenset({SERVICE_ROLE}),
                jwks=entry.jwks,
                is_first_party=True,
            )
            for entry in entries
        }

    @classmethod
    def load(cls, file: Path | None, catalogue: ScopeCatalogue) -> "ServiceClients":
        """Raises: pydantic.ValidationError for a file that says something else."""
        entries = json.loads(file.read_text()) if file else []
        return cls(TypeAdapter(list[ServiceClientEntry]).validate_python(entries), catalogue)

    def find(self, client_id: str) -> OAuthClient | None:
        return self._clients.get(client_id)


# Within the second in which a client that is stopped must be refused: half of it, and while somebody reads it again a quarter more.
_BELIEVED_SECONDS = 0.5
_BELIEVED_MEANWHILE_SECONDS = 0.75
_MANY_CLIENTS = 1000


class KnownClients:
    """The clients of the table as this process has read them a moment ago.

    A partner's system asks for tokens many times a second, and its row changes a few times a year. What was read is believed for
    half a second: a client that is stopped, or whose secret or key is taken back, is refused by every process within a second.
    """

    def __init__(self) -> None:
        self._read: dict[str, tuple[float, OAuthClient]] = {}
        self._being_read: set[str] = set()

    async def find(
        self,
        open_session: Callable[[], AsyncSession],
        ring: KeyRing,
        services: "ServiceClients",
        catalogue: ScopeCatalogue,
        client_id: str,
    ) -> OAuthClient | None:
        """An active client by its id. One that is not there is looked for each time."""
        # Before the statement: what it finds is at least as new as this.
        asked_at = time.monotonic()
        read_at, known = self._read.get(client_id, (float("-inf"), None))
        # One request reads for all that come meanwhile. Nobody waits for it: it may be waiting for a connection that they hold.
        believed = _BELIEVED_MEANWHILE_SECONDS if client_id in self._being_read else _BELIEVED_SECONDS
        if known is not None and asked_at - read_at < believed:
            return known
        self._being_read.add(client_id)
        try:
            found = await find_client(open_session(), ring, services, catalogue, client_id)
        finally:
            self._being_read.discard(client_id)
        if found is None:
            self._read.pop(client_id, None)
            return None
        if len(self._read) >= _MANY_CLIENTS:
            self._read.clear()
        self._read[client_id] = (asked_at, found)
        return found


_ACTIVE_CLIENT = (
    select(
        Client,
        Department.division,
        func.array(
            select(ClientSecret.secret_hash)
            .where(
                ClientSecret.client_id == Client.id,
                or_(ClientSecret.expires_at.is_(None), ClientSecret.expires_at > func.now()),
            )
            .scalar_subquery(),
            type_=ARRAY(LargeBinary),
        ),
    )
    .outerjoin(Department, Department.id == Client.department_id)
    .where(Client.client_id == bindparam("client_id"), Client.is_active)
)


async def find_client(
    session: AsyncSession,
    ring: KeyRing,
    services: ServiceClients,
    catalogue: ScopeCatalogue,
    client_id: str,
) -> OAuthClient | None:
    """An active client by its id, whatever text that is."""
    if (service := services.find(client_id)) is not None:
        return service
    if not CLIENT_ID.fullmatch(client_id):
        return None
    found = (await session.execute(_ACTIVE_CLIENT, {"client_id": client_id})).first()
    if found is None:
        return None
    row, division, hashes = found
    is_high_trust = row.security_profile is SecurityProfile.FAPI2
    return OAuthClient(
        client_id=row.client_id,
        name=row.name,
        authentication=row.authentication,
        grant_types=frozenset(row.grant_types),
        scopes=catalogue.names if ALL_SCOPES in row.scopes else frozenset(row.scopes),
        roles=frozenset({PARTNER_ROLE}),
        jwks=row.jwks,
        secret_hashes=hashes,
        redirect_uris=row.redirect_uris,
        client_metadata={"post_logout_redirect_uris": row.post_logout_redirect_uris},
        department_id=row.department_id,
        division=division,
        is_first_party=row.is_first_party,
        requires_pushed_requests=row.require_pushed_authorization_requests or is_high_trust,
        requires_proof=row.dpop_bound_access_tokens or is_high_trust,
        is_high_trust=is_high_trust,
        id_token_algorithm=row.id_token_signed_response_alg,
        ring=ring,
    )

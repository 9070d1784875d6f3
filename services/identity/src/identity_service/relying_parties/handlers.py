"""Registering clients and changing them."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.organisation.domain import Role
from identity_service.organisation.handlers.departments import get_department
from identity_service.relying_parties.domain import (
    ALL_SCOPES,
    CLIENT_ID,
    Authentication,
    ClientIdTaken,
    Environment,
    FirstPartyByOperatorsOnly,
    GrantType,
    InvalidClientMetadata,
    NoSuchClient,
    SecurityProfile,
    check_logout_uri,
    check_redirect_uri,
    same_origin,
)
from identity_service.relying_parties.key_sets import check_key_set
from identity_service.relying_parties.models import Client, ClientSecret
from identity_service.signing.domain import ALGORITHM
from service_common.auth import Caller
from service_common.crypto import KeyRing
from service_common.db import new_id
from service_common.errors import FieldProblem
from service_common.etag import check_version

_HIGH_TRUST_ID_TOKENS = frozenset({"ES256", "EdDSA"})  # FAPI 2.0 §5.4.1
_SECRET_COLUMN = "client_secrets.secret_hash"  # noqa: S105 - a column's name


@dataclass(frozen=True, slots=True)
class ClientMetadata:
    """What a client says of itself at registration."""

    name: str
    authentication: Authentication
    redirect_uris: Sequence[str]
    post_logout_redirect_uris: Sequence[str]
    grant_types: Sequence[GrantType]
    scopes: Sequence[str]
    jwks: dict[str, Any] | None
    department_id: UUID | None
    is_first_party: bool
    client_id: str | None = None
    environment: Environment = Environment.PRODUCTION
    require_pushed_authorization_requests: bool = False
    dpop_bound_access_tokens: bool = False
    security_profile: SecurityProfile = SecurityProfile.DEFAULT
    id_token_signed_response_alg: str = ALGORITHM
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False


async def register_client(
    session: AsyncSession,
    ring: KeyRing,
    caller: Caller,
    metadata: ClientMetadata,
    *,
    known_scopes: frozenset[str],
) -> tuple[Client, str | None]:
    """Registers a client; returns it with its secret, which is shown this once.

    Operators register anything; supervisors, a department's administrators, draft clients of their own department, whose
    scopes an operator grants.
    Raises: FirstPartyByOperatorsOnly, InvalidClientMetadata, NoSuchDepartment, ClientIdTaken.
    """
    department_id = _department_for(caller, metadata)
    if department_id is not None:
        await get_department(session, department_id)
    _check(metadata, known_scopes)
    client = _client_of(metadata, department_id=department_id, registered_by=caller.staff_id)
    _settle_scopes(client, caller)
    try:
        async with session.begin_nested():
            session.add(client)
    except IntegrityError as error:
        raise ClientIdTaken from error
    if client.authentication is not Authentication.SECRET:
        return client, None
    return client, new_secret(session, ring, client)[1]


async def register_own_app(
    session: AsyncSession, *, client_id: str, redirect_uris: Sequence[str], by: UUID
) -> None:
    """Registers the platform's own public app unless its id is taken: without one nobody could log in to register any.

    Raises: InvalidClientMetadata.
    """
    if await session.scalar(select(Client.id).where(Client.client_id == client_id)) is not None:
        return
    metadata = ClientMetadata(
        client_id=client_id,
        name="联办",
        authentication=Authentication.NONE,
        redirect_uris=redirect_uris,
        post_logout_redirect_uris=redirect_uris,
        grant_types=[GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.TOKEN_EXCHANGE],
        scopes=[ALL_SCOPES],
        jwks=None,
        department_id=None,
        is_first_party=True,
    )
    _check(metadata, frozenset())
    session.add(_client_of(metadata, department_id=None, registered_by=by))


def _settle_scopes(client: Client, caller: Caller) -> None:
    """An operator grants by registering, a department asks. A sandbox has nobody to protect."""
    if Role.OPERATOR in caller.roles or client.environment is Environment.SANDBOX:
        return
    client.asked_scopes = sorted(client.scopes)
    client.scopes = []


def _client_of(metadata: ClientMetadata, *, department_id: UUID | None, registered_by: UUID) -> Client:
    return Client(
        id=new_id(),
        client_id=metadata.client_id or f"c-{secrets.token_hex(8)}",
        name=metadata.name,
        authentication=metadata.authentication,
        jwks=metadata.jwks,
        redirect_uris=list(metadata.redirect_uris),
        post_logout_redirect_uris=list(metadata.post_logout_redirect_uris),
        grant_types=[str(one) for one in metadata.grant_types],
        scopes=list(metadata.scopes),
        department_id=department_id,
        is_first_party=metadata.is_first_party,
        is_active=True,
        registered_by=registered_by,
        environment=metadata.environment,
        require_pushed_authorization_requests=metadata.require_pushed_authorization_requests,
        dpop_bound_access_tokens=metadata.dpop_bound_access_tokens,
        security_profile=metadata.security_profile,
        id_token_signed_response_alg=metadata.id_token_signed_response_alg,
        backchannel_logout_uri=metadata.backchannel_logout_uri,
        backchannel_logout_session_required=metadata.backchannel_logout_session_required,
        frontchannel_logout_uri=metadata.frontchannel_logout_uri,
        frontchannel_logout_session_required=metadata.frontchannel_logout_session_required,
    )


def new_secret(session: AsyncSession, ring: KeyRing, client: Client) -> tuple[ClientSecret, str]:
    """A secret of 256 bits and its row; shown to nobody but who asked for it."""
    secret = secrets.token_urlsafe(32)
    row = ClientSecret(id=new_id(), client_id=client.id, secret_hash=hash_secret(ring, secret))
    session.add(row)
    return row, secret


def hash_secret(ring: KeyRing, secret: str) -> bytes:
    """How secrets are stored and compared: keyed and fast, never a password hash on every token request."""
    return ring.blind_index(secret, column=_SECRET_COLUMN)


def _department_for(caller: Caller, metadata: ClientMetadata) -> UUID | None:
    if Role.OPERATOR in caller.roles:
        return metadata.department_id
    if metadata.is_first_party or metadata.department_id not in (None, caller.department_id):
        raise FirstPartyByOperatorsOnly
    return caller.department_id


def _check(metadata: ClientMetadata, known_scopes: frozenset[str]) -> None:
    """Raises: InvalidClientMetadata with every field that breaks a rule."""
    problems = [
        *_address_problems(metadata),
        *_logout_problems(metadata),
        *_scope_problems(metadata, known_scopes),
        *_grant_problems(metadata),
        *_profile_problems(metadata),
    ]
    if metadata.authentication is Authentication.PRIVATE_KEY:
        problems += [problem] if (problem := check_key_set(metadata.jwks)) else []
    elif metadata.jwks is not None:
        problems.append(
            _field("/jwks", "仅 private_key_jwt 使用公钥。", "Keys are for private_key_jwt only.")
        )
    if metadata.client_id is not None and not CLIENT_ID.fullmatch(metadata.client_id):
        problems.append(
            _field(
                "/client_id", "client_id 含有不允许的字符。", "The client_id has characters it may not have."
            )
        )
    if problems:
        raise InvalidClientMetadata(fields=problems)


def _address_problems(metadata: ClientMetadata) -> list[FieldProblem]:
    is_public = metadata.authentication is Authentication.NONE
    found = [
        check_redirect_uri(uri, pointer=f"/{field}/{index}", is_public=is_public)
        for field in ("redirect_uris", "post_logout_redirect_uris")
        for index, uri in enumerate(getattr(metadata, field))
    ]
    return [problem for problem in found if problem]


def _logout_problems(metadata: ClientMetadata) -> list[FieldProblem]:
    """A frame on our logout page loads only what belongs to the client (Front-Channel Logout 1.0 §2)."""
    back, front = metadata.backchannel_logout_uri, metadata.frontchannel_logout_uri
    found = []
    if back is not None:
        found.append(check_logout_uri(back, pointer="/backchannel_logout_uri"))
    if front is not None:
        found.append(check_logout_uri(front, pointer="/frontchannel_logout_uri"))
    if (
        front is not None
        and not any(found)
        and not any(same_origin(front, uri) for uri in metadata.redirect_uris)
    ):
        found.append(
            _field(
                "/frontchannel_logout_uri",
                "前端退出地址须与某个回调地址同源。",
                "The front-channel address must have the origin of a redirect URI.",
            )
        )
    return [problem for problem in found if problem]


def _scope_problems(metadata: ClientMetadata, known_scopes: frozenset[str]) -> list[FieldProblem]:
    allowed = known_scopes | ({ALL_SCOPES} if metadata.is_first_party else frozenset())
    return [
        _field(f"/scopes/{index}", f"没有权限项 {name}。", f"There is no scope {name}.")
        for index, name in enumerate(metadata.scopes)
        if name not in allowed
    ]


def _grant_problems(metadata: ClientMetadata) -> list[FieldProblem]:
    grants = set(metadata.grant_types)
    problems = []
    if GrantType.AUTHORIZATION_CODE in grants and not metadata.redirect_uris:
        problems.append(
            _field("/redirect_uris", "授权码方式需要回调地址。", "The code flow needs a redirect URI.")
        )
    if GrantType.REFRESH_TOKEN in grants and not grants & {
        GrantType.AUTHORIZATION_CODE,
        GrantType.DEVICE_CODE,
    }:
        problems.append(
            _field(
                "/grant_types",
                "刷新令牌须与授权码或设备授权一起使用。",
                "Refresh tokens come from the code flow or the device flow.",
            )
        )
    if GrantType.CLIENT_CREDENTIALS in grants and metadata.authentication is Authentication.NONE:
        problems.append(
            _field(
                "/grant_types", "公开应用不能使用 client_credentials。", "A public client has no credentials."
            )
        )
    if GrantType.TOKEN_EXCHANGE in grants and not metadata.is_first_party:
        problems.append(
            _field(
                "/grant_types",
                "代办令牌只发给平台自有应用。",
                "Only the platform's own applications get tokens for who acts for others.",
            )
        )
    return problems


def _profile_problems(metadata: ClientMetadata) -> list[FieldProblem]:
    """FAPI 2.0 Security Profile §5.3.2, as far as a registration can break it; the rest is asked at every request."""
    if metadata.security_profile is not SecurityProfile.FAPI2:
        return []
    problems = [
        _field(
            f"/redirect_uris/{index}",
            "高信任应用的回调地址须为 https。",
            "FAPI 2.0 redirects to https alone.",
        )
        for index, uri in enumerate(metadata.redirect_uris)
        if not uri.startswith("https:")
    ]
    if metadata.authentication is not Authentication.PRIVATE_KEY:
        problems.append(
            _field(
                "/token_endpoint_auth_method",
                "高信任应用须使用 private_key_jwt。",
                "FAPI 2.0 clients authenticate with private_key_jwt.",
            )
        )
    if metadata.id_token_signed_response_alg not in _HIGH_TRUST_ID_TOKENS:
        problems.append(
            _field("/id_token_signed_response_alg", "高信任应用不得使用 RS256。", "FAPI 2.0 forbids RS256.")
        )
    return problems


def _field(pointer: str, zh: str, en: str) -> FieldProblem:
    return FieldProblem(pointer, "invalid_client_metadata", zh, en)


async def get_client(
    session: AsyncSession, caller: Caller, client_id: str, *, for_update: bool = False
) -> Client:
    """A client that the caller may manage. Raises: NoSuchClient."""
    query = select(Client).where(Client.client_id == client_id)
    client = await session.scalar(query.with_for_update() if for_update else query)
    own = client is not None and (
        Role.OPERATOR in caller.roles
        or (client.department_id is not None and client.department_id == caller.department_id)
    )
    if client is None or not own:
        raise NoSuchClient
    return client


async def client_names(session: AsyncSession, client_ids: Iterable[str]) -> dict[str, str]:
    """What people know clients by; one that nobody registered is missing."""
    found = await session.scalars(select(Client).where(Client.client_id.in_(set(client_ids))))
    return {client.client_id: client.name for client in found}


@dataclass(frozen=True, slots=True)
class MetadataChange:
    """What may change of a client after its registration: how people and browsers find it. Nothing of what it may do."""

    name: str
    redirect_uris: Sequence[str]
    post_logout_redirect_uris: Sequence[str]
    backchannel_logout_uri: str | None
    backchannel_logout_session_required: bool
    frontchannel_logout_uri: str | None
    frontchannel_logout_session_required: bool


async def change_client(
    session: AsyncSession, caller: Caller, client_id: str, change: MetadataChange, *, expected_version: int
) -> Client:
    """Changes a client under the rules of its registration, as far as they are about what changes.

    Raises: NoSuchClient, FirstPartyByOperatorsOnly, Stale, InvalidClientMetadata.
    """
    client = await get_client(session, caller, client_id)
    if client.is_first_party and Role.OPERATOR not in caller.roles:
        raise FirstPartyByOperatorsOnly
    check_version(client.version, expected_version)
    changed = {one.name: getattr(change, one.name) for one in fields(change)}
    _check(replace(_metadata_of(client), **changed), known_scopes=frozenset())
    for name, value in changed.items():
        setattr(client, name, list(value) if name.endswith("redirect_uris") else value)
    await session.flush()
    return client


def _metadata_of(client: Client) -> ClientMetadata:
    """What a client is registered with, but for its scopes: those were asked for and granted."""
    return ClientMetadata(
        name=client.name,
        authentication=client.authentication,
        redirect_uris=client.redirect_uris,
        post_logout_redirect_uris=client.post_logout_redirect_uris,
        grant_types=[GrantType(one) for one in client.grant_types],
        scopes=(),
        jwks=client.jwks,
        department_id=client.department_id,
        is_first_party=client.is_first_party,
        environment=client.environment,
        security_profile=client.security_profile,
        id_token_signed_response_alg=client.id_token_signed_response_alg,
    )


async def set_client_active(
    session: AsyncSession, caller: Caller, client_id: str, *, active: bool, expected_version: int
) -> Client:
    """Stops a client, or lets it go on. Its tokens end within five minutes. Raises: NoSuchClient, Stale."""
    client = await get_client(session, caller, client_id)
    check_version(client.version, expected_version)
    client.is_active = active
    await session.flush()
    return client


async def list_clients(
    session: AsyncSession, caller: Caller, *, after: UUID | None, limit: int
) -> Sequence[Client]:
    """Clients in the order of registration, a supervisor's own department's alone; one more than ``limit``."""
    query = select(Client).order_by(Client.id).limit(limit + 1)
    if Role.OPERATOR not in caller.roles:
        query = query.where(Client.department_id == caller.department_id)
    if after is not None:
        query = query.where(Client.id > after)
    return (await session.scalars(query)).all()

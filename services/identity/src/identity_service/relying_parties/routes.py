"""HTTP of clients."""

from typing import Annotated
from uuid import UUID

from fastapi import Response, status

from identity_service.edge import Catalogue, CurrentSettings
from identity_service.relying_parties import handlers, self_service
from identity_service.relying_parties.domain import Environment, NoSandboxHere, NoSuchAlgorithm
from identity_service.relying_parties.schemas import (
    ClientActivity,
    ClientChange,
    ClientCreate,
    ClientCreated,
    ClientKey,
    ClientRead,
    ClientScopes,
    ClientSecretCreated,
    ClientSecretList,
    ClientSecretRead,
)
from identity_service.signing.domain import ALGORITHM
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require, scope
from service_common.db import Session
from service_common.etag import ExpectedVersion, set_etag
from service_common.idempotency import Once
from service_common.pages import Page, Paging

router = api_router("clients", prefix="/identity/v1/clients")

CLIENTS_MANAGE = scope(
    "identity:clients.manage", zh="管理接入应用", en="Manage clients", roles={"operator", "supervisor"}
)
CLIENTS_GRANT = scope(
    "identity:clients.grant", zh="授予接入应用权限", en="Grant scopes to clients", roles={"operator"}
)
Manager = Annotated[Caller, require(CLIENTS_MANAGE)]


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Register a client 登记接入应用",
    description="Operators register any client, supervisors draft those of their own department: the scopes they ask for wait for "
    "an operator. The secret is shown in this "
    "answer alone.",
)
async def register_client(
    *,
    body: ClientCreate,
    session: Session,
    ring: Ring,
    caller: Manager,
    _once: Once,
    catalogue: Catalogue,
    settings: CurrentSettings,
    response: Response,
) -> ClientCreated:
    if body.environment is Environment.SANDBOX and not settings.serves_sandbox:
        raise NoSandboxHere
    offered = [ALGORITHM, *sorted(settings.further_id_token_algorithms)]
    if body.id_token_signed_response_alg not in offered:
        raise NoSuchAlgorithm(offered=", ".join(offered))
    client, secret = await handlers.register_client(
        session, ring, caller, body.metadata(), known_scopes=catalogue.names
    )
    set_etag(response, client.version)
    return ClientCreated(**ClientRead.of(client).model_dump(), client_secret=secret)


@router.get("", summary="List clients 接入应用列表", description="Supervisors see their own department's.")
async def list_clients(session: Session, caller: Manager, paging: Paging) -> Page[ClientRead]:
    after = paging.after(UUID)
    rows = await handlers.list_clients(session, caller, after=after[0] if after else None, limit=paging.limit)
    return paging.page(rows, key=lambda row: (row.id,), show=ClientRead.of)


@router.get("/{client_id}", summary="Get a client 接入应用详情", description="Never shows a secret.")
async def get_client(client_id: str, session: Session, caller: Manager, response: Response) -> ClientRead:
    client = await handlers.get_client(session, caller, client_id)
    set_etag(response, client.version)
    return ClientRead.of(client)


@router.put(
    "/{client_id}",
    summary="Change a client 变更接入应用信息",
    description="Name, redirect and logout addresses, under the same rules as at registration; they apply from the next request "
    "on. Supervisors change their own department's. Scopes, keys and secrets have routes of their own, and the way it "
    "authenticates stays.",
)
async def change_client(
    *,
    client_id: str,
    body: ClientChange,
    session: Session,
    caller: Manager,
    settings: CurrentSettings,
    expected_version: ExpectedVersion,
    response: Response,
) -> ClientRead:
    client = await handlers.change_client(
        session, caller, client_id, body.change(), expected_version=expected_version
    )
    if client.environment is Environment.SANDBOX and not settings.serves_sandbox:
        raise NoSandboxHere
    set_etag(response, client.version)
    return ClientRead.of(client)


@router.post(
    "/{client_id}/scope-requests",
    status_code=status.HTTP_202_ACCEPTED,
    summary="Ask for scopes 申请权限",
    description="By the department; an operator grants them. Asking again changes nothing, so no `Idempotency-Key` is needed.",
)
async def ask_for_scopes(
    client_id: str, body: ClientScopes, session: Session, caller: Manager, catalogue: Catalogue
) -> ClientRead:
    client = await self_service.ask_for_scopes(session, caller, client_id, body.scopes, known=catalogue.names)
    return ClientRead.of(client)


@router.put(
    "/{client_id}/scopes",
    summary="Grant scopes 授予权限",
    description="By an operator: exactly these from the next token on. What was asked for is answered with it.",
)
async def grant_scopes(
    *,
    client_id: str,
    body: ClientScopes,
    session: Session,
    caller: Annotated[Caller, require(CLIENTS_GRANT)],
    catalogue: Catalogue,
    expected_version: ExpectedVersion,
    response: Response,
) -> ClientRead:
    client = await self_service.grant_scopes(
        session,
        caller,
        client_id,
        body.scopes,
        known=catalogue.names,
        expected_version=expected_version,
    )
    set_etag(response, client.version)
    return ClientRead.of(client)


@router.post(
    "/{client_id}/secrets",
    status_code=status.HTTP_201_CREATED,
    summary="Add a client secret 新增应用密钥",
    description="Two secrets work side by side, so that a client can be switched over without an outage; a third retires the "
    "oldest.",
)
async def add_secret(
    client_id: str, session: Session, ring: Ring, caller: Manager, _once: Once, now: Now
) -> ClientSecretCreated:
    row, secret = await self_service.add_secret(session, ring, caller, client_id, now=now)
    return ClientSecretCreated(id=row.id, client_secret=secret)


@router.get(
    "/{client_id}/secrets",
    summary="List client secrets 应用密钥列表",
    description="Those that work, the oldest first; never what they are.",
)
async def list_secrets(client_id: str, session: Session, caller: Manager, now: Now) -> ClientSecretList:
    rows = await self_service.list_secrets(session, caller, client_id, now=now)
    return ClientSecretList(items=[ClientSecretRead.model_validate(row) for row in rows])


@router.post(
    "/{client_id}/secrets/{secret_id}/retire",
    status_code=status.HTTP_204_NO_CONTENT,
    summary="Retire a client secret 停用应用密钥",
    description="At once; the last one stays. Once retired it is unknown, so no `Idempotency-Key` is needed.",
)
async def retire_secret(client_id: str, secret_id: UUID, session: Session, caller: Manager, now: Now) -> None:
    await self_service.retire_secret(session, caller, client_id, secret_id, now=now)


@router.post(
    "/{client_id}/keys",
    status_code=status.HTTP_201_CREATED,
    summary="Add a public key 新增应用公钥",
    description="Two keys work side by side; a third retires the oldest. The same `kid` replaces, so no `Idempotency-Key` is needed.",
)
async def add_key(client_id: str, body: ClientKey, session: Session, caller: Manager) -> ClientRead:
    return ClientRead.of(await self_service.add_key(session, caller, client_id, body.key))


@router.post(
    "/{client_id}/keys/{kid}/retire",
    summary="Retire a public key 停用应用公钥",
    description="At once; the last one stays. Once retired it is unknown, so no `Idempotency-Key` is needed.",
)
async def retire_key(client_id: str, kid: str, session: Session, caller: Manager) -> ClientRead:
    return ClientRead.of(await self_service.retire_key(session, caller, client_id, kid))


@router.put(
    "/{client_id}/activity",
    summary="Stop or resume a client 停用或启用应用",
    description="A stopped client gets no token; those it has end within five minutes.",
)
async def set_client_activity(
    *,
    client_id: str,
    body: ClientActivity,
    session: Session,
    caller: Manager,
    expected_version: ExpectedVersion,
    response: Response,
) -> ClientRead:
    client = await handlers.set_client_active(
        session, caller, client_id, active=body.is_active, expected_version=expected_version
    )
    set_etag(response, client.version)
    return ClientRead.of(client)

"""HTTP of clients."""

from typing import Annotated
from uuid import UUID

from fastapi import Response, status

from identity_service.edge import Catalogue
from identity_service.relying_parties import handlers
from identity_service.relying_parties.schemas import (
    ClientActivity,
    ClientCreate,
    ClientCreated,
    ClientRead,
    ClientSecretCreated,
)
from service_common.app import Ring, api_router
from service_common.auth import Caller, require, scope
from service_common.db import Session
from service_common.etag import ExpectedVersion, set_etag
from service_common.idempotency import Once
from service_common.pages import Page, Paging

router = api_router("clients", prefix="/identity/v1/clients")

CLIENTS_MANAGE = scope(
    "identity:clients.manage", zh="管理接入应用", en="Manage clients", roles={"operator", "supervisor"}
)
Manager = Annotated[Caller, require(CLIENTS_MANAGE)]


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    summary="Register a client 登记接入应用",
    description="Operators register any client, supervisors those of their own department. The secret is shown in this "
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
    response: Response,
) -> ClientCreated:
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


@router.post(
    "/{client_id}/secrets",
    status_code=status.HTTP_201_CREATED,
    summary="Add a client secret 新增应用密钥",
    description="The old secrets stay valid, so that a client can be switched over without an outage.",
)
async def add_secret(
    client_id: str, session: Session, ring: Ring, caller: Manager, _once: Once
) -> ClientSecretCreated:
    return ClientSecretCreated(client_secret=await handlers.add_secret(session, ring, caller, client_id))


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

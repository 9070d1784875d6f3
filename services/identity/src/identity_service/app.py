"""What identity is made of."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from identity_service.accounts import passwords
from identity_service.clients.authority import Authority
from identity_service.clients.sms import FileSmsSender, GatewaySmsSender, SmsSender
from identity_service.counters.routes import router as counter_routes
from identity_service.credentials.account_pages import router as password_pages
from identity_service.credentials.pages import router as forgotten_password_pages
from identity_service.credentials.phone_change_pages import router as phone_change_pages
from identity_service.credentials.routes import router as credential_routes
from identity_service.credentials.second_factor_pages import router as second_factor_pages
from identity_service.db import Base, lone_statements, transactions_of
from identity_service.delegations.routes import router as delegation_routes
from identity_service.families.routes import router as family_routes
from identity_service.identity_codes.routes import router as identity_code_routes
from identity_service.inbox.pages import router as inbox_pages
from identity_service.inbox.routes import router as inbox_routes
from identity_service.legal_persons.routes import router as legal_person_routes
from identity_service.login.routes import router as login_routes
from identity_service.login.scan_pages import router as scan_pages
from identity_service.oidc.assertions import UsedAssertions
from identity_service.oidc.clients import KnownClients, ServiceClients
from identity_service.oidc.routes import routers as oidc_routers
from identity_service.organisation.routes import routers as organisation_routers
from identity_service.pages.errors import show_error
from identity_service.pages.routes import router as page_routes
from identity_service.passkeys.pages import router as passkey_pages
from identity_service.passkeys.routes import router as passkey_routes
from identity_service.people.pages import router as sign_up_pages
from identity_service.people.routes import router as people_routes
from identity_service.profiles.routes import router as profile_routes
from identity_service.relying_parties.routes import router as client_routes
from identity_service.scopes import ScopeCatalogue
from identity_service.sessions.routes import router as session_routes
from identity_service.settings import Settings
from identity_service.signing.handlers import KeyStore
from identity_service.space.access_pages import router as access_pages
from identity_service.space.closing_pages import router as closing_pages
from identity_service.space.pages import router as account_pages
from identity_service.space.routes import router as space_routes
from identity_service.worker import background, subscribers
from service_common.app import Service
from service_common.tokens import InvalidToken, IssuerKeys, TokenVerifier

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

DESCRIPTION = """\
Unified identity 统一身份认证: natural persons and their trust levels, legal persons and their agents, departments and
staff, clients, and the OpenID provider that signs everybody in. Personal space: inbox, and who looked at my data.
"""


class OwnKeys(IssuerKeys):
    """Our own public keys for our own API: no call to ourselves over HTTP."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store

    async def find(self, key_id: str) -> Any:
        """Raises: InvalidToken."""
        keys = await self._store.current()
        found = next((key for key in keys.public.keys if key.kid == key_id), None)
        if found is None:
            raise InvalidToken
        return found


@contextlib.asynccontextmanager
async def prepare(app: FastAPI) -> AsyncIterator[None]:
    """Scopes, clients, keys and adapters, in every role of the process."""
    settings: Settings = app.state.settings
    http: httpx.AsyncClient = app.state.http
    catalogue = ScopeCatalogue.load(settings.scopes_file)
    store = KeyStore(
        transactions_of(app.state.database),
        app.state.key_ring,
        further=settings.further_id_token_algorithms,
    )
    passwords.limit(at_once=settings.password_hashes_at_once, waiting=settings.password_hashes_waiting)
    app.state.scopes = catalogue
    app.state.service_clients = ServiceClients.load(settings.service_clients_file, catalogue)
    app.state.known_clients = KnownClients()
    app.state.signing_keys = store
    app.state.lone_statements = lone_statements(app.state.database)
    app.state.used_assertions = UsedAssertions(app.state.database)
    app.state.authority = Authority(settings.authority_url, http)
    app.state.sms_sender = sms_sender(settings, http)
    app.state.token_verifier = TokenVerifier(
        issuer=settings.issuer,
        audience="urn:lianban:identity",
        keys=OwnKeys(store),
        revoked=app.state.revoked_sessions,
    )
    yield


def sms_sender(settings: Settings, http: httpx.AsyncClient) -> SmsSender | None:
    """The file of a development machine, or the gateway; nothing when neither is configured."""
    if settings.sms_outbox_file is not None:
        return FileSmsSender(settings.sms_outbox_file)
    if settings.sms_gateway_url is not None:
        token = settings.sms_gateway_token
        return GatewaySmsSender(settings.sms_gateway_url, token.get_secret_value() if token else None, http)
    return None


def define_service(settings: Settings | None = None) -> Service:
    """The service with its settings, from the environment unless given."""
    return Service(
        name="identity",
        title="Lianban identity 统一身份认证",
        description=DESCRIPTION,
        settings=settings or Settings(),
        routers=(
            *oidc_routers,
            login_routes,
            scan_pages,
            page_routes,
            people_routes,
            sign_up_pages,
            credential_routes,
            forgotten_password_pages,
            password_pages,
            phone_change_pages,
            second_factor_pages,
            counter_routes,
            family_routes,
            identity_code_routes,
            space_routes,
            account_pages,
            access_pages,
            closing_pages,
            session_routes,
            passkey_routes,
            passkey_pages,
            profile_routes,
            inbox_routes,
            inbox_pages,
            legal_person_routes,
            delegation_routes,
            *organisation_routers,
            client_routes,
        ),
        migrations=MIGRATIONS,
        metadata=Base.metadata,
        subscribers=subscribers,
        background=background,
        start=prepare,
        error_page=show_error,
        large_body_prefixes=("/identity/v1/divisions/imports",),
    )

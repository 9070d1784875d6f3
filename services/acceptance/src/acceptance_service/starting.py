"""What the application holds besides the database: storage, scanner, number pool, the clients of its peers."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from acceptance_service.clients.certificates import CertificatesClient
from acceptance_service.clients.identity import IdentityClient
from acceptance_service.files.domain import Quota
from acceptance_service.files.handlers import FilePort
from acceptance_service.files.scanner import ClamdScanner, NoScanner, Scanner
from acceptance_service.files.storage import FolderStore
from acceptance_service.numbering.handlers import Serials
from acceptance_service.settings import Settings
from service_common.departments_cli import own_login
from service_common.http import ServiceClient

CLIENT_ID = "acceptance"


@asynccontextmanager
async def start(app: FastAPI) -> AsyncIterator[None]:
    """Fills ``app.state`` for as long as the application runs."""
    settings: Settings = app.state.settings
    async with AsyncExitStack() as stack:
        app.state.serials = await stack.enter_async_context(Serials.connect(settings))
        app.state.files = FilePort(
            store=FolderStore(settings.files_folder),
            scanner=_scanner(settings),
            ring=app.state.key_ring,
            limit_bytes=settings.upload_limit_bytes,
            daily=Quota(settings.upload_daily_files, settings.upload_daily_bytes),
            office_factor=settings.upload_office_factor,
            per_application=Quota(settings.upload_application_files, settings.upload_application_bytes),
        )
        # One token serves all peers: identity puts every audience into it that the scopes belong to.
        login = own_login(settings, CLIENT_ID)
        identity = ServiceClient(settings.identity_url, login)
        stack.push_async_callback(identity.close)
        certificates = ServiceClient(settings.certificates_url, login)
        stack.push_async_callback(certificates.close)
        app.state.identity = IdentityClient(identity)
        app.state.certificates = CertificatesClient(certificates)
        yield


def _scanner(settings: Settings) -> Scanner:
    if settings.scanner_host is None:
        return NoScanner()
    return ClamdScanner(settings.scanner_host, settings.scanner_port)

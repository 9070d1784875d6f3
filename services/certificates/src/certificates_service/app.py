"""What the licence library is made of."""

from pathlib import Path

from certificates_service.db import Base
from certificates_service.licences.routes import router as licences
from certificates_service.presentation.routes import router as presentation
from certificates_service.settings import Settings
from certificates_service.sharing.routes import router as sharing
from certificates_service.signing.routes import router as keys
from certificates_service.types.routes import router as types
from certificates_service.uses.export_routes import router as export
from certificates_service.uses.routes import router as uses
from certificates_service.worker import background, subscribers
from service_common.app import Service

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

DESCRIPTION = """\
Electronic licence library 电子证照库: types, issuing with an identifier by GB/T 36904 and a signature, showing 亮证 with a
one-time code, verification, sharing with a legal basis, suspension and revocation. The holder sees every use.
"""


def define_service(settings: Settings | None = None) -> Service:
    """The service with its settings, from the environment unless given."""
    return Service(
        name="certificates",
        title="Lianban certificates 电子证照",
        description=DESCRIPTION,
        settings=settings or Settings(),
        routers=(types, licences, uses, presentation, sharing, keys, export),
        migrations=MIGRATIONS,
        metadata=Base.metadata,
        subscribers=subscribers,
        background=background,
    )

"""What evaluation is made of."""

from pathlib import Path

from evaluation_service.db import Base
from evaluation_service.indicators.routes import router as indicators
from evaluation_service.invitations.routes import router as invitations
from evaluation_service.rectifications.routes import router as rectifications
from evaluation_service.reviews.export_routes import router as export
from evaluation_service.reviews.routes import router as reviews
from evaluation_service.settings import Settings
from evaluation_service.worker import background, subscribers
from service_common.app import Service

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

DESCRIPTION = """\
Reviews of service 好差评: one invitation for each service contact, one review in five grades, a rectification with its
clock for each bad one, and the indicators that must be published. What is reviewed never learns by whom.
"""


def define_service(settings: Settings | None = None) -> Service:
    """The service with its settings, from the environment unless given."""
    return Service(
        name="evaluation",
        title="Lianban evaluation 好差评",
        description=DESCRIPTION,
        settings=settings or Settings(),
        routers=(invitations, reviews, rectifications, indicators, export),
        migrations=MIGRATIONS,
        metadata=Base.metadata,
        subscribers=subscribers,
        background=background,
    )

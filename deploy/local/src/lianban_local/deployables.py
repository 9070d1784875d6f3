"""What the platform consists of. A new service is one entry here."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[4]
"""Of the repository: this package is only ever installed editable."""

AUTHORITY: Final = "authority"
"""The register that identity asks; it runs beside the platform and is no part of it."""


@dataclass(frozen=True)
class Deployable:
    """A service of ours with a database of its own.

    ``calls`` are the peers it may call over HTTP (docs/architecture.md draws them): it is told their addresses and
    no others.
    """

    name: str
    module: str
    folder: Path
    calls: tuple[str, ...] = ("identity",)
    stores_files: bool = False

    @property
    def prefix(self) -> str:
        """Of its environment variables."""
        return f"{self.name.upper()}_"

    @property
    def migrations(self) -> Path:
        return self.folder / "migrations"


DEPLOYABLES: Final[tuple[Deployable, ...]] = (
    Deployable("identity", "identity_service", ROOT / "services/identity", calls=("identity", AUTHORITY)),
    Deployable(
        "acceptance",
        "acceptance_service",
        ROOT / "services/acceptance",
        calls=("identity", "certificates"),
        stores_files=True,
    ),
    Deployable("certificates", "certificates_service", ROOT / "services/certificates"),
    Deployable("hotline", "hotline_service", ROOT / "services/hotline"),
    Deployable("evaluation", "evaluation_service", ROOT / "services/evaluation"),
    Deployable(
        "gateway",
        "gateway_service",
        ROOT / "gateway",
        calls=("identity", "acceptance", "certificates", "hotline", "evaluation"),
    ),
)

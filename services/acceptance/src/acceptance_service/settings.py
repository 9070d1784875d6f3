"""What acceptance must be told from outside, beyond what every service is told."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from service_common.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read from ``ACCEPTANCE_…``."""

    model_config = SettingsConfigDict(env_prefix="ACCEPTANCE_", frozen=True, extra="ignore")

    certificates_url: str = Field(
        default="http://127.0.0.1:8083", description="Base address of certificates inside the network."
    )
    files_folder: Path = Field(
        default=Path(".lianban/files/acceptance"), description="Where uploads lie, encrypted."
    )
    upload_limit_bytes: int = Field(default=20 * 1024**2, description="Largest file of an upload.")
    scanner_host: str | None = Field(
        default=None, description="clamd that scans uploads; none: files are marked as not scanned."
    )
    scanner_port: int = Field(default=3310, description="Port of clamd.")
    sweep_seconds: float = Field(
        default=10.0, description="Pause between two looks at deadlines; days are what they are about."
    )

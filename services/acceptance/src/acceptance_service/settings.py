"""What acceptance must be told from outside, beyond what every service is told."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from acceptance_service.files.domain import APPLICATION_QUOTA, DAILY_QUOTA
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
    upload_daily_files: int = Field(
        default=DAILY_QUOTA.files, gt=0, description="Files that one person uploads within 24 hours."
    )
    upload_daily_bytes: int = Field(
        default=DAILY_QUOTA.size, gt=0, description="How much one person uploads within 24 hours."
    )
    upload_office_factor: int = Field(
        default=20, gt=0, description="Staff and partners upload for many: so many times that of one person."
    )
    upload_application_files: int = Field(
        default=APPLICATION_QUOTA.files, gt=0, description="Files that one application holds."
    )
    upload_application_bytes: int = Field(
        default=APPLICATION_QUOTA.size, gt=0, description="How much one application holds in files."
    )
    window_sitting_minutes: int = Field(
        default=120,
        gt=0,
        description="How long one proof of presence lets a clerk act for who stands at the window, if no hand-in ends it before.",
    )
    draft_days: int = Field(
        default=90,
        gt=0,
        description="A draft that nobody touched for so long is given up, and its files are swept.",
    )
    scanner_host: str | None = Field(
        default=None, description="clamd that scans uploads; none: files are marked as not scanned."
    )
    scanner_port: int = Field(default=3310, description="Port of clamd.")
    sweep_seconds: float = Field(
        default=10.0, description="Pause between two looks at deadlines; days are what they are about."
    )

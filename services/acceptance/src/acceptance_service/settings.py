"""What acceptance must be told from outside, beyond what every service is told."""

from pydantic_settings import SettingsConfigDict

from service_common.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read from ``ACCEPTANCE_…``."""

    model_config = SettingsConfigDict(env_prefix="ACCEPTANCE_", frozen=True, extra="ignore")

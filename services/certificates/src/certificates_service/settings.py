"""What the licence library must be told from outside, beyond what every service is told."""

from pydantic_settings import SettingsConfigDict

from service_common.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read from ``CERTIFICATES_…``."""

    model_config = SettingsConfigDict(env_prefix="CERTIFICATES_", frozen=True, extra="ignore")

    @property
    def licence_issuer(self) -> str:
        """``iss`` of signed licences; our public keys are found below it."""
        return f"{self.public_origin}/certificates"

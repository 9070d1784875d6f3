"""What the gateway must be told from outside, beyond what every service is told."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from service_common.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read from ``GATEWAY_…``."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", frozen=True, extra="ignore")

    acceptance_url: str = Field(description="Base address of acceptance inside the network.")
    certificates_url: str = Field(description="Base address of certificates inside the network.")
    hotline_url: str = Field(description="Base address of hotline inside the network.")
    evaluation_url: str = Field(description="Base address of evaluation inside the network.")

    webhook_loopback_allowed: bool = Field(
        default=False,
        description="Allow webhook receivers on loopback, over plain HTTP: for one machine, never in production.",
    )
    webhook_keep_days: int = Field(
        default=30,
        ge=4,
        description="How long webhook messages and their deliveries are kept, and can be replayed.",
    )

    @property
    def service_urls(self) -> dict[str, str]:
        """The services behind the gateway, by name."""
        return {
            "identity": self.identity_url,
            "acceptance": self.acceptance_url,
            "certificates": self.certificates_url,
            "hotline": self.hotline_url,
            "evaluation": self.evaluation_url,
        }

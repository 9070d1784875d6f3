"""What evaluation must be told from outside, beyond what every service is told."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from service_common.settings import ServiceSettings


class Settings(ServiceSettings):
    """Read from ``EVALUATION_…``. The limits are those of standards §6.5, a region may set its own."""

    model_config = SettingsConfigDict(env_prefix="EVALUATION_", frozen=True, extra="ignore")

    invitation_days: int = Field(
        default=10, ge=1, description="Natural days in which a service contact can be reviewed."
    )
    assign_workdays: int = Field(
        default=1, ge=0, description="Working days until a bad review has a named handler."
    )
    contact_workdays: int = Field(
        default=3, ge=0, description="Working days until the reviewer is contacted."
    )
    rectify_workdays: int = Field(
        default=15, ge=0, description="Working days until a bad review is rectified."
    )
    sweep_seconds: float = Field(
        default=60, gt=0, description="Pause between looks for expired invitations and missed limits."
    )

"""What the hotline must be told from outside, beyond what every service is told."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from service_common.settings import ServiceSettings

_PACKAGE = Path(__file__).parent


class Settings(ServiceSettings):
    """Read from ``HOTLINE_…``."""

    model_config = SettingsConfigDict(env_prefix="HOTLINE_", frozen=True, extra="ignore")

    clocks_file: Path = Field(
        default=_PACKAGE / "tickets" / "clocks.json",
        description="Limits to sign, return and handle, by kind and urgency; a region puts its own here.",
    )
    duty_list_file: Path = Field(
        default=_PACKAGE / "suggestions" / "duty_list.json",
        description="Which kinds of departments a topic belongs to, and by which words of their names they are known.",
    )
    classifier_file: Path = Field(
        default=_PACKAGE / "suggestions" / "classifier.json",
        description="Weights of the topic classifier, made by `training/train_classifier.py`.",
    )
    sweep_seconds: float = Field(
        default=60, gt=0, description="Pause between looks for deadlines that an older calendar gave."
    )

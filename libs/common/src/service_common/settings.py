"""What every service must be told from outside. Read once in ``__main__``, passed down, never read elsewhere."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Settings common to all services; a service subclasses this and sets its ``env_prefix``."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    database_url: SecretStr = Field(
        description="This service's own PostgreSQL database, `postgresql://user:password@host:port/name`."
    )
    database_ca_file: Path | None = Field(
        default=None,
        description="Authority (PEM) that must have signed PostgreSQL's certificate, whose name is checked too; none: as the URL says.",
    )
    nats_url: SecretStr = Field(description="NATS with JetStream, `nats://user:password@host:port`.")
    issuer: str = Field(
        description="Issuer of access tokens as it stands in them, e.g. `https://host/identity`."
    )
    identity_url: str = Field(
        description="Base address of identity inside the network, for keys, tokens and the organisation snapshot."
    )
    data_keys: SecretStr = Field(
        description="Key ring of column encryption: `id:base64(32 bytes)` comma-separated, newest first."
    )
    index_key: SecretStr = Field(description="Key of the blind indexes, base64(32 bytes). One per service.")
    client_key_file: Path | None = Field(
        default=None, description="Private JWK with which this service signs its client assertions."
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8080, description="Port to listen on.")
    public_origin: str = Field(default="http://localhost", description="Origin that people see, for links.")

    database_pool_size: int = Field(
        default=16, description="Most connections per process; opened when needed, then kept."
    )
    database_statement_timeout_ms: int = Field(default=15_000, description="Longest a statement may run.")

    stream_replicas: int = Field(default=1, description="JetStream replicas: 3 in production.")
    stream_max_bytes: int = Field(
        default=2 * 1024**3, description="Upper bound of this service's event stream."
    )
    outbox_retention_days: int = Field(default=30, description="How long sent outbox rows are kept.")
    event_max_tries: int = Field(default=8, description="Handler failures before an event is a dead letter.")

    log_level: str = Field(default="INFO", description="Least level that is logged.")
    log_format: Literal["json", "console"] = Field(
        default="json", description="`console` for reading by eye."
    )
    otlp_endpoint: str | None = Field(
        default=None, description="OTLP/HTTP collector for traces; none: not sent."
    )
    traces_file: Path | None = Field(
        default=None, description="Spans as JSON lines, for a stack without collector."
    )
    trace_sample_ratio: float = Field(default=0.1, description="Share of new traces recorded.")

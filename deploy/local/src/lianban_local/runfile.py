"""``run.json``: where the platform is and who may log in, for scripts."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from lianban_local.state import write_private

Role = Literal[
    "citizen", "company_agent", "clerk", "approver", "hotline_agent", "supervisor", "operator"
]  # fmt: skip


class Account(BaseModel):
    """A demo person or member of staff who can log in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    username: str
    password: str
    totp_secret: str | None = None
    department: str | None = None


class Client(BaseModel):
    """An OAuth client. Public ones have neither secret nor key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: str
    client_secret: str | None = None
    private_key_file: str | None = None
    redirect_uris: list[str] = []
    grant_types: list[str]
    scope: str


class RunFile(BaseModel):
    """The whole file. Fields that do not apply are left out."""

    base_url: str
    issuer: str
    accounts: list[Account] = []
    clients: list[Client] = []


def write_run_json(
    file: Path, *, base_url: str, issuer: str, accounts: list[Account], clients: list[Client]
) -> RunFile:
    """Replace the file, mode 0600: it holds passwords, if only of people who do not exist."""
    content = RunFile(base_url=base_url, issuer=issuer, accounts=accounts, clients=clients)
    write_private(file, content.model_dump_json(indent=2, exclude_none=True) + "\n")
    return content


def read_run_json(file: Path) -> RunFile:
    """Raises: FileNotFoundError when no platform has come up in this folder."""
    return RunFile.model_validate_json(file.read_bytes())

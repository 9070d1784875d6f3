"""Demo data: loaded through the APIs by a process of its own, remembered with a digest, loaded again when it changed.

The data and the calls are in ``lianban_local.demo``; here is what the two sides agree on.
"""

import importlib
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from lianban_local import client_keys, sources
from lianban_local.deployables import ROOT
from lianban_local.environment import APP_REDIRECT_URI, SEED_CLIENT, Addresses
from lianban_local.runfile import Account, Client
from lianban_local.state import StateFolder, write_private

_MODULE = "lianban_local.demo.seed"
_SOURCES = (ROOT / "data", Path(__file__).with_name("demo"))


@dataclass(frozen=True)
class SeedContext:
    """What a seed may know: addresses and its own client, nothing of any database."""

    addresses: Addresses
    state: StateFolder
    client_id: str
    client_key_file: Path


class SeedResult(BaseModel):
    """Who can log in now."""

    accounts: list[Account] = []
    clients: list[Client] = []


class Seeded(BaseModel):
    """``seed.json``: the result, and of which data."""

    digest: str
    result: SeedResult


Seed = Callable[[SeedContext], Awaitable[SeedResult]]


def command(state: StateFolder) -> list[str]:
    """The process that seeds a running platform."""
    return [sys.executable, "-m", "lianban_local", "seed", "--state", str(state.path)]


def first_operator(state: StateFolder) -> tuple[list[str], dict[str, str]]:
    """Identity's own command for an installation without any account, and the secrets it reads from its environment."""
    # Here, because the demo's data is read on import.
    from lianban_local.demo import people  # noqa: PLC0415

    account, told = people.administrator(state), people.CAST["administrator"]
    organ = next(one for one in people.CAST["organs"] if one["uscc"] == told["organ"])
    command = [
        *(sys.executable, "-m", "identity_service", "create-administrator"),
        *("--username", account.username, "--name", told["name"]),
        *("--department-uscc", organ["uscc"], "--department-name", organ["name"]),
        *("--division", organ["division"], "--redirect-uri", APP_REDIRECT_URI),
    ]
    return command, {
        "ADMINISTRATOR_PASSWORD": account.password,
        "ADMINISTRATOR_TOTP_SECRET": account.totp_secret or "",
    }


async def seed(state: StateFolder, addresses: Addresses) -> SeedResult:
    """Load the demo data and remember the result. Harmless when it is there: every call is idempotent."""
    load: Seed = importlib.import_module(_MODULE).seed
    context = SeedContext(addresses, state, SEED_CLIENT, client_keys.key_file(state, SEED_CLIENT))
    result = await load(context)
    remember(state, result)
    return result


def remember(state: StateFolder, result: SeedResult) -> None:
    """The accounts hold passwords: mode 0600."""
    write_private(_file(state), Seeded(digest=digest(), result=result).model_dump_json(indent=1))


def remembered(state: StateFolder) -> SeedResult | None:
    """The result of an earlier start, when the data has not changed since."""
    if not _file(state).exists():
        return None
    seeded = Seeded.model_validate_json(_file(state).read_bytes())
    return seeded.result if seeded.digest == digest() else None


def last_result(state: StateFolder) -> SeedResult | None:
    """Of the last seed, whatever data it had: secrets that are shown only once are still in it."""
    if not _file(state).exists():
        return None
    return Seeded.model_validate_json(_file(state).read_bytes()).result


def forget(state: StateFolder) -> None:
    """For a start that had to create a database: what was loaded once is not in it."""
    _file(state).unlink(missing_ok=True)


def digest() -> str:
    """Of everything that the demo data is made from."""
    return sources.digest(_SOURCES)


def _file(state: StateFolder) -> Path:
    return state.path / "seed.json"

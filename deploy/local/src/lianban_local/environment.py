"""What each service is told from outside: the one place where its environment is made.

The names are those of ``service_common.settings.ServiceSettings`` and of the services' own ``settings.py``.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lianban_local import client_keys
from lianban_local.deployables import AUTHORITY, Deployable
from lianban_local.state import StateFolder

EDGE = "envoy"
EDGE_ADMIN = "envoy-admin"

# The pools of one service (database_pool_size) with its leader's lock and its LISTEN.
CONNECTIONS_PER_SERVICE = 20
CONNECTIONS_FOR_PEOPLE = 20
"""psql, migrations, the superuser's reserve."""

APP_REDIRECT_URI = "http://127.0.0.1/callback"
"""Of the platform's own public app: a native app listens on any port of loopback (RFC 8252 §7.3)."""

SEED_CLIENT = "lianban-local"
"""The client with which the demo data is loaded: it exists on this machine alone."""


@dataclass(frozen=True)
class Addresses:
    """Where everything listens."""

    origin: str
    ports: Mapping[str, int]

    @property
    def issuer(self) -> str:
        return f"{self.origin}/identity"

    def of(self, name: str) -> str:
        """Inside, past the edge."""
        return f"http://127.0.0.1:{self.ports[name]}"


def choose_addresses(state: StateFolder, deployables: Sequence[Deployable]) -> Addresses:
    """For a start: the ports of last time where they are free, new ones otherwise."""
    return _addresses({name: state.port(name) for name in _names(deployables)})


def known_addresses(state: StateFolder, deployables: Sequence[Deployable]) -> Addresses:
    """Of the platform that runs in this folder.

    Raises: KeyError when none ever did.
    """
    return _addresses({name: state.known_port(name) for name in _names(deployables)})


def _names(deployables: Sequence[Deployable]) -> list[str]:
    # With the peers that a smaller plan leaves out: their addresses are told all the same, and lead nowhere.
    services = [name for deployable in deployables for name in (deployable.name, *deployable.calls)]
    return list(dict.fromkeys([EDGE, EDGE_ADMIN, AUTHORITY, *services]))


def _addresses(ports: Mapping[str, int]) -> Addresses:
    # A name and never 127.0.0.1: cookies and passkeys are bound to it.
    return Addresses(origin=f"http://localhost:{ports[EDGE]}", ports=ports)


def of_service(
    deployable: Deployable,
    *,
    state: StateFolder,
    addresses: Addresses,
    database_url: str,
    nats_url: str,
    clients_file: Path,
    scopes_file: Path,
) -> dict[str, str]:
    """The whole environment of one service: the caller's, and over it what the platform decides."""
    name = deployable.name
    told = {
        "DATABASE_URL": database_url,
        "NATS_URL": nats_url,
        "ISSUER": addresses.issuer,
        "PUBLIC_ORIGIN": addresses.origin,
        "HOST": "127.0.0.1",
        "PORT": str(addresses.ports[name]),
        "DATA_KEYS": f"1:{state.key(f'{name}-data')}",
        "INDEX_KEY": state.key(f"{name}-index"),
        "CLIENT_KEY_FILE": str(client_keys.key_file(state, name)),
        "LOG_FORMAT": "json",
        "TRACES_FILE": str(state.folder("traces") / f"{name}.jsonl"),
    }
    for peer in deployable.calls:
        told[f"{peer.upper()}_URL"] = addresses.of(peer)
    told |= _told_alone(name, state, clients_file, scopes_file)
    if deployable.stores_files:
        told["FILES_FOLDER"] = str(state.folder("files") / name)
    return dict(os.environ) | {f"{deployable.prefix}{variable}": value for variable, value in told.items()}


def _told_alone(name: str, state: StateFolder, clients_file: Path, scopes_file: Path) -> dict[str, str]:
    """What only this service asks for."""
    match name:
        case "identity":
            return {
                "SERVICE_CLIENTS_FILE": str(clients_file),
                "SCOPES_FILE": str(scopes_file),
                "SMS_OUTBOX_FILE": str(state.path / "sms.jsonl"),
                "SERVES_SANDBOX": "true",
                # The demo data is loaded by one operator.
                "FOUR_EYES_ROLES": "[]",
                # The people of the demo register carry numbers that nobody can have.
                "ALLOW_FIXTURE_IDENTITIES": "true",
                # The demonstration's people are verified to level 2: name and number, no face.
                "DELEGATION_LEAST_LEVEL": "2",
                "REPRESENTATIVE_LEAST_LEVEL": "2",
                # A partner's system that is tried out on this machine listens on loopback.
                "LOGOUT_LOOPBACK_ALLOWED": "true",
            }
        case "gateway":
            # A partner's system that is tried out on this machine listens on loopback.
            return {"WEBHOOK_LOOPBACK_ALLOWED": "true"}
        case _:
            return {}

"""What is remembered, for whom, and what is not trusted."""

import base64
import importlib
import json
import socket
from pathlib import Path

import pytest
from joserfc.jwk import KeySet

from lianban_local import client_keys, ports, runfile
from lianban_local.deployables import DEPLOYABLES, Deployable
from lianban_local.environment import choose_addresses, known_addresses, of_service
from lianban_local.runfile import Account, Client
from lianban_local.state import AlreadyRunning, StateFolder
from service_common.settings import ServiceSettings


def test_ports_passwords_and_keys_are_the_same_next_time(tmp_path: Path) -> None:
    first = StateFolder(tmp_path)
    made = (first.port("postgres"), first.password("postgres"), first.key("identity-data"))
    second = StateFolder(tmp_path)
    assert (second.port("postgres"), second.password("postgres"), second.key("identity-data")) == made
    assert (tmp_path / "state.json").stat().st_mode & 0o777 == 0o600
    assert len(base64.b64decode(made[2])) == 32


def test_a_port_that_a_stranger_took_is_replaced_for_good(tmp_path: Path) -> None:
    old = StateFolder(tmp_path).port("envoy")
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", old))
        stranger.listen()
        new = StateFolder(tmp_path).port("envoy")
        assert new != old
    assert StateFolder(tmp_path).port("envoy") == new


def test_ports_lie_below_those_of_outgoing_connections() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert all(ports.choose() < lowest for _ in range(20))


def test_two_names_never_get_one_port(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    addresses = choose_addresses(state, DEPLOYABLES)
    assert len(set(addresses.ports.values())) == len(addresses.ports)
    assert known_addresses(StateFolder(tmp_path), DEPLOYABLES) == addresses


def test_a_folder_is_held_by_one(tmp_path: Path) -> None:
    with StateFolder(tmp_path).held(), pytest.raises(AlreadyRunning), StateFolder(tmp_path).held():
        pass
    with StateFolder(tmp_path).held():
        pass


def test_the_clients_file_has_public_parts_only(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    clients = json.loads(client_keys.write_clients(state, ["acceptance", "hotline"]).read_text())
    assert [client["client_id"] for client in clients] == ["acceptance", "hotline"]
    for client in clients:
        (key,) = client["jwks"]["keys"]
        assert "d" not in key
        assert key["alg"] == "ES256"
        assert KeySet.import_key_set(client["jwks"]).keys[0].kid == key["kid"]
        private = json.loads(client_keys.key_file(state, client["client_id"]).read_text())
        assert private["kid"] == key["kid"]


@pytest.mark.parametrize("deployable", DEPLOYABLES, ids=lambda deployable: deployable.name)
def test_each_service_is_told_what_its_settings_ask_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deployable: Deployable
) -> None:
    state = StateFolder(tmp_path)
    addresses = choose_addresses(state, DEPLOYABLES)
    told = of_service(
        deployable,
        state=state,
        addresses=addresses,
        database_url="postgresql://a:b@127.0.0.1:1/c",
        nats_url="nats://127.0.0.1:2",
        clients_file=tmp_path / "clients.json",
        scopes_file=tmp_path / "scopes.json",
    )
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    settings: ServiceSettings = importlib.import_module(f"{deployable.module}.settings").Settings()
    assert settings.port == addresses.ports[deployable.name]
    assert settings.issuer == f"{settings.public_origin}/identity"
    assert settings.client_key_file is not None
    assert settings.client_key_file.exists()


def test_run_json_has_the_agreed_form_and_leaves_out_what_does_not_apply(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    runfile.write_run_json(
        file,
        base_url="http://localhost:1",
        issuer="http://localhost:1/identity",
        accounts=[Account(role="citizen", username="wang", password="secret")],
        clients=[
            Client(
                client_id="app", redirect_uris=["http://127.0.0.1/cb"], grant_types=["code"], scope="openid"
            )
        ],
    )
    assert json.loads(file.read_text()) == {
        "base_url": "http://localhost:1",
        "issuer": "http://localhost:1/identity",
        "accounts": [{"role": "citizen", "username": "wang", "password": "secret"}],
        "clients": [
            {
                "client_id": "app",
                "redirect_uris": ["http://127.0.0.1/cb"],
                "grant_types": ["code"],
                "scope": "openid",
            }
        ],
    }
    assert file.stat().st_mode & 0o077 == 0

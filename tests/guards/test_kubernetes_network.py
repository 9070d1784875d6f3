"""The NetworkPolicies allow the calls that docs/architecture.md lists, and no other."""

import ipaddress
import json
import re
import subprocess
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from lianban_local.deployables import AUTHORITY, DEPLOYABLES

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = ("dev", "prod")
SERVICES = frozenset(deployable.name for deployable in DEPLOYABLES)
NAME, ROLE = "app.kubernetes.io/name", "app.kubernetes.io/component"
PORTS = (443, 4222, 5432, 6222, 6443, 8000, 8080, 8222, 9901, 9902)

# Of the development requirements: distributions carry versions too old for Kustomize components.
KUBECTL = str(Path(sysconfig.get_path("scripts")) / "kubectl")

Manifest = dict[str, Any]
Flow = tuple[str, str, int]


@dataclass(frozen=True)
class Pod:
    """A pod as the policies see it."""

    labels: tuple[tuple[str, str], ...]

    @property
    def title(self) -> str:
        labels = dict(self.labels)
        name = labels.get(NAME) or labels["cnpg.io/cluster"]
        return f"{name}-{labels[ROLE]}" if name in SERVICES else name


@cache
def _built(overlay: str) -> str:
    command = [KUBECTL, "kustomize", str(ROOT / "deploy" / "k8s" / "overlays" / overlay)]
    text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    return json.dumps([document for document in yaml.load_all(text, yaml.CSafeLoader) if document])


class Cluster:
    """One overlay: its pods and its policies."""

    def __init__(self, manifests: list[Manifest]) -> None:
        self.config_maps = [one for one in manifests if one["kind"] == "ConfigMap"]
        self.policies = [one["spec"] for one in manifests if one["kind"] == "NetworkPolicy"]
        labels = [
            one["spec"]["template"]["metadata"]["labels"]
            for one in manifests
            if one["kind"] in {"Deployment", "StatefulSet", "Job"}
        ]
        # What the operator makes of a Cluster.
        labels += [
            {"cnpg.io/cluster": one["metadata"]["name"]} for one in manifests if one["kind"] == "Cluster"
        ]
        self.pods = [Pod(tuple(sorted(one.items()))) for one in labels]

    def flows(self) -> set[Flow]:
        """Whatever one of our pods may open to another: allowed to leave there and to enter here."""
        return {
            (sender.title, receiver.title, port)
            for sender in self.pods
            for receiver in self.pods
            for port in PORTS
            if self._allows(sender, receiver, "Egress", port)
            and self._allows(receiver, sender, "Ingress", port)
        }

    def rules(self, pod: Pod, direction: str) -> Iterator[tuple[Manifest, list[Manifest]]]:
        """Peers and ports of each rule that applies to a pod; nothing selects no pod of ours but the default."""
        peers = "to" if direction == "Egress" else "from"
        for policy in self.policies:
            if direction in policy["policyTypes"] and selects(policy["podSelector"], pod):
                for rule in policy.get(direction.lower(), []):
                    yield from ((peer, rule.get("ports", [])) for peer in rule.get(peers, [{}]))

    def is_isolated(self, pod: Pod, direction: str) -> bool:
        return any(
            direction in one["policyTypes"] and selects(one["podSelector"], pod) for one in self.policies
        )

    def _allows(self, pod: Pod, other: Pod, direction: str, port: int) -> bool:
        return any(
            (
                "podSelector" in peer
                and "namespaceSelector" not in peer
                and selects(peer["podSelector"], other)
            )
            and (not ports or port in {one["port"] for one in ports})
            for peer, ports in self.rules(pod, direction)
        )


def selects(selector: Manifest, pod: Pod) -> bool:
    labels = dict(pod.labels)
    for one in selector.get("matchExpressions", []):
        assert one["operator"] == "In", "this test knows no other"
        if labels.get(one["key"]) not in one["values"]:
            return False
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())


@pytest.fixture(params=OVERLAYS)
def cluster(request: pytest.FixtureRequest) -> Cluster:
    return Cluster(json.loads(_built(request.param)))


def documented_calls() -> set[tuple[str, str]]:
    """The table "Who may call whom" of docs/architecture.md, service by service."""
    text = (ROOT / "docs" / "architecture.md").read_text()
    [table] = re.findall(r"## Who may call whom\n\n(.*?)\n\n", text, re.DOTALL)
    found = set()
    for row in table.splitlines()[2:]:
        caller, callees, *_ = (cell.strip() for cell in row.strip("|").split("|"))
        callers = SERVICES if caller == "every service" else {caller}
        names = {AUTHORITY} if AUTHORITY in callees else set(callees.split(", "))
        found |= {(one, name) for one in callers for name in names}
    return found


def test_services_call_exactly_whom_the_architecture_says(cluster: Cluster) -> None:
    calls = {
        (sender.rpartition("-")[0], receiver.rpartition("-")[0])
        for sender, receiver, _ in cluster.flows()
        if sender.rpartition("-")[0] in SERVICES and receiver.rpartition("-")[0] in SERVICES
    }
    assert calls == {call for call in documented_calls() if AUTHORITY not in call}


def test_the_local_platform_tells_services_of_the_same_peers() -> None:
    told = {(deployable.name, peer) for deployable in DEPLOYABLES for peer in deployable.calls}
    assert told == documented_calls()


def test_only_apis_are_called_and_by_their_port(cluster: Cluster) -> None:
    for sender, receiver, port in cluster.flows():
        if receiver.rpartition("-")[0] in SERVICES:
            assert (receiver.rpartition("-")[2], port) == ("api", 8080), (sender, receiver, port)


def test_the_edge_calls_every_api_and_nothing_else(cluster: Cluster) -> None:
    called = {(receiver, port) for sender, receiver, port in cluster.flows() if sender == "edge"}
    assert called == {(f"{service}-api", 8080) for service in SERVICES}
    assert [flow for flow in cluster.flows() if flow[1] == "edge"] == []


def test_data_is_reached_by_those_who_own_some(cluster: Cluster) -> None:
    flows = cluster.flows()
    to_database = {flow for flow in flows if flow[1] == "postgres"}
    to_broker = {flow for flow in flows if flow[1] == "nats"}
    roles = {(service, role) for service in SERVICES for role in ("api", "worker")}
    assert to_database == {
        *((f"{service}-{role}", "postgres", 5432) for service, role in roles),
        *((f"{service}-migrate", "postgres", 5432) for service in SERVICES),
        ("postgres", "postgres", 5432),
        ("postgres", "postgres", 8000),
    }
    assert to_broker == {
        *((f"{service}-{role}", "nats", 4222) for service, role in roles),
        ("nats", "nats", 6222),
    }


def test_without_a_rule_nothing_passes(cluster: Cluster) -> None:
    for pod in cluster.pods:
        assert cluster.is_isolated(pod, "Ingress"), pod.title
        assert cluster.is_isolated(pod, "Egress"), pod.title
    everybody = [one for one in cluster.policies if one["podSelector"] == {}]
    assert {json.dumps(rule) for one in everybody for rule in one.get("ingress", [])} == set()


def test_only_few_reach_the_world_outside(cluster: Cluster) -> None:
    outside = {
        pod.title
        for pod in cluster.pods
        for peer, _ in cluster.rules(pod, "Egress")
        if "ipBlock" in peer or peer == {}
    }
    # postgres: the Kubernetes API and its backups, by port alone.
    assert outside <= {"gateway-worker", "identity-api", "identity-worker", "postgres"}
    assert {"gateway-worker", "identity-worker", "postgres"} <= outside


@pytest.mark.parametrize("title", ["gateway-worker", "identity-worker"])
def test_calls_to_partners_never_reach_an_address_inside(cluster: Cluster, title: str) -> None:
    [worker] = [pod for pod in cluster.pods if pod.title == title]
    [(peer, ports)] = [
        (peer, ports)
        for peer, ports in cluster.rules(worker, "Egress")
        if peer.get("ipBlock", {}).get("cidr") == "0.0.0.0/0"
    ]
    assert [port["port"] for port in ports] == [443]
    refused = [ipaddress.ip_network(block) for block in peer["ipBlock"]["except"]]
    for inside in ("10.96.0.1", "172.31.255.1", "192.168.1.1", "169.254.169.254", "127.0.0.1", "100.100.0.1"):
        assert any(ipaddress.ip_address(inside) in block for block in refused), inside
    for outside in ("1.1.1.1", "114.114.114.114", "172.32.0.1"):
        assert not any(ipaddress.ip_address(outside) in block for block in refused), outside


def test_traces_leave_for_the_collector_that_is_named_and_nowhere_without_one(cluster: Cluster) -> None:
    named = {
        urlsplit(one["data"]["OTLP_ENDPOINT"])
        for one in cluster.config_maps
        if "OTLP_ENDPOINT" in one["data"]
    }
    at = {(url.hostname or "").split(".")[1]: url.port for url in named}
    assert {url.path for url in named} <= {"/v1/traces"}
    for pod in cluster.pods:
        is_service = pod.title.endswith(("-api", "-worker"))
        ways = {
            peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]: port["port"]
            for peer, ports in cluster.rules(pod, "Egress")
            if "namespaceSelector" in peer
            for port in ports
            if port["port"] != 53
        }
        assert {place: port for place, port in ways.items() if place == "monitoring"} == (
            at if is_service else {}
        ), pod.title


def test_production_names_a_collector() -> None:
    production = Cluster(json.loads(_built("prod")))
    [platform] = [one for one in production.config_maps if "OTLP_ENDPOINT" in one["data"]]
    assert platform["metadata"]["name"].startswith("platform-")


def test_the_edge_of_production_is_reached_through_the_ingress_alone() -> None:
    production = Cluster(json.loads(_built("prod")))
    [edge] = [pod for pod in production.pods if pod.title == "edge"]
    entries = {
        (peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"], port["port"])
        for peer, ports in production.rules(edge, "Ingress")
        for port in ports
    }
    assert entries == {("ingress-nginx", 8080), ("monitoring", 9902)}

"""What ``kubectl apply -k deploy/k8s/overlays/…`` would send: valid, locked down, and wired as the documents say."""

import importlib.util
import json
import re
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, cast

import kubernetes_validate
import pytest
import yaml
from fastapi import FastAPI
from jsonschema import Draft202012Validator

from lianban_local.deployables import DEPLOYABLES
from service_common.settings import ServiceSettings

ROOT = Path(__file__).resolve().parents[2]
K8S = ROOT / "deploy" / "k8s"
OVERLAYS = tuple(sorted(path.name for path in (K8S / "overlays").iterdir()))
SERVICES = tuple(deployable.name for deployable in DEPLOYABLES)
# The oldest Kubernetes we support (preStop.sleep is on by default there), and the newest this package knows.
VERSIONS = ("1.32", kubernetes_validate.latest_version())
WORKLOADS = ("Deployment", "StatefulSet", "Job")
SERVING = ("Deployment", "StatefulSet")
GRACEFUL_SECONDS = 20  # service_common.cli: timeout_graceful_shutdown

# Of the development requirements: distributions carry versions too old for Kustomize components.
KUBECTL = str(Path(sysconfig.get_path("scripts")) / "kubectl")

Manifest = dict[str, Any]


@cache
def _built(overlay: str) -> str:
    command = [KUBECTL, "kustomize", str(K8S / "overlays" / overlay)]
    text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    return json.dumps([document for document in yaml.load_all(text, yaml.CSafeLoader) if document])


@pytest.fixture(scope="session")
def build() -> Callable[[str], list[Manifest]]:
    """Every document of an overlay, by its name."""
    return lambda overlay: cast("list[Manifest]", json.loads(_built(overlay)))


@pytest.fixture(params=OVERLAYS)
def manifests(request: pytest.FixtureRequest, build: Callable[[str], list[Manifest]]) -> list[Manifest]:
    return build(request.param)


def of_kind(manifests: list[Manifest], *kinds: str) -> list[Manifest]:
    found = [one for one in manifests if one["kind"] in kinds]
    assert found, kinds
    return found


def name_of(manifest: Manifest) -> str:
    return cast("str", manifest["metadata"]["name"])


def pod_of(workload: Manifest) -> Manifest:
    return cast("Manifest", workload["spec"]["template"]["spec"])


def labels_of(workload: Manifest) -> dict[str, str]:
    return cast("dict[str, str]", workload["spec"]["template"]["metadata"]["labels"])


def containers(manifests: list[Manifest]) -> Iterator[tuple[str, Manifest]]:
    for workload in of_kind(manifests, *WORKLOADS):
        pod = pod_of(workload)
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            yield f"{name_of(workload)}/{container['name']}", container


def most_replicas(manifests: list[Manifest], workload: Manifest) -> int:
    for scaler in of_kind(manifests, "HorizontalPodAutoscaler"):
        target = scaler["spec"]["scaleTargetRef"]
        if (target["kind"], target["name"]) == (workload["kind"], name_of(workload)):
            assert "replicas" not in workload["spec"], f"{name_of(workload)} would be reset by every apply"
            return int(scaler["spec"]["maxReplicas"])
    return int(workload["spec"].get("replicas", 1))


# -- valid


def test_every_document_is_what_kubernetes_expects(manifests: list[Manifest]) -> None:
    for document in manifests:
        own = K8S / "schemas" / f"{document['kind'].lower()}.schema.json"
        if own.exists():
            Draft202012Validator(json.loads(own.read_text())).validate(document)
        else:
            for version in VERSIONS:
                kubernetes_validate.validate(document, version, strict=True)


def test_the_schemas_of_foreign_kinds_are_schemas_and_all_in_use(
    build: Callable[[str], list[Manifest]],
) -> None:
    kinds = {document["kind"].lower() for overlay in OVERLAYS for document in build(overlay)}
    for file in (K8S / "schemas").glob("*.schema.json"):
        Draft202012Validator.check_schema(json.loads(file.read_text()))
        assert file.name.removesuffix(".schema.json") in kinds


def test_nothing_of_the_template_is_left(manifests: list[Manifest]) -> None:
    text = yaml.safe_dump_all(manifests)
    for left in ("SERVICE_", "of-the-service", "lianban-service", "migrate-release"):
        assert not re.search(rf"\b{left}", text.replace("SERVICE_CLIENTS_FILE", "")), left


def test_no_secret_is_in_git(manifests: list[Manifest]) -> None:
    assert [name_of(one) for one in manifests if one["kind"] == "Secret"] == []
    for file in K8S.rglob("kustomization.yaml"):
        assert "secretGenerator" not in yaml.safe_load(file.read_text()), file
    for where, container in containers(manifests):
        for variable in container.get("env", []):
            secret = re.search(r"PASSWORD|TOKEN|KEY|URL", variable["name"]) and "value" in variable
            assert not secret, f"{where}: {variable['name']}"


def test_every_secret_that_is_used_is_described(manifests: list[Manifest]) -> None:
    described = _described_secrets()
    for reference in _secret_references(manifests):
        assert reference[0] in described, reference
        assert reference[1] is None or reference[1] in described[reference[0]], reference


def _described_secrets() -> dict[str, set[str]]:
    """Names and keys of the table in secrets.md."""
    found: dict[str, set[str]] = {}
    name = ""
    for row in re.findall(r"^\| *(.*?) *\| *(`.*?) *\|", (K8S / "secrets.md").read_text(), re.MULTILINE):
        name = row[0].strip("`") or name
        for service in SERVICES if "<" in name + row[1] else ("",):
            keys = row[1].replace("<SERVICE>", service.upper())
            found.setdefault(name.replace("<service>", service), set()).update(re.findall(r"`(.*?)`", keys))
    return found


def _secret_references(manifests: list[Manifest]) -> Iterator[tuple[str, str | None]]:
    """Every (name, key) below any ``…secret…`` field; no key where the whole Secret is meant."""
    for document in manifests:
        pending: list[Any] = [document.get("spec", {})]
        while pending:
            node = pending.pop()
            if isinstance(node, list):
                pending += node
            elif isinstance(node, dict):
                pending += node.values()
                for field, value in node.items():
                    if field in {
                        "secretRef",
                        "secretKeyRef",
                        "passwordSecret",
                        "accessKeyId",
                        "secretAccessKey",
                    }:
                        yield value["name"], value.get("key")
                    elif field == "secretName":
                        yield value, None


# -- locked down


def test_every_container_is_confined(manifests: list[Manifest]) -> None:
    for where, container in containers(manifests):
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] is True, where
        assert security["allowPrivilegeEscalation"] is False, where
        assert security["capabilities"] == {"drop": ["ALL"]}, where
        assert set(container["resources"]["limits"]) == {"cpu", "memory"}, where
        assert set(container["resources"]["requests"]) == {"cpu", "memory"}, where
        assert re.fullmatch(r".+:(?!latest$)[\w.-]+", container["image"]), where


def test_every_pod_is_confined(manifests: list[Manifest]) -> None:
    for workload in of_kind(manifests, *WORKLOADS):
        pod = pod_of(workload)
        assert pod["securityContext"]["runAsNonRoot"] is True, name_of(workload)
        assert pod["securityContext"]["runAsUser"] > 0, name_of(workload)
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name_of(workload)
        assert pod["automountServiceAccountToken"] is False, name_of(workload)
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod), name_of(workload)
        assert [volume for volume in pod.get("volumes", []) if "hostPath" in volume] == []
        accounts = {name_of(one): one for one in of_kind(manifests, "ServiceAccount")}
        assert accounts[pod["serviceAccountName"]]["automountServiceAccountToken"] is False


def test_the_namespace_enforces_the_restricted_standard(manifests: list[Manifest]) -> None:
    [namespace] = of_kind(manifests, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    others = {one["metadata"].get("namespace") for one in manifests if one is not namespace}
    assert others == {name_of(namespace)}


def test_whatever_is_mounted_writable_is_meant_to_be(manifests: list[Manifest]) -> None:
    writable = {
        mount["mountPath"]
        for _, container in containers(manifests)
        for mount in container.get("volumeMounts", [])
        if not mount.get("readOnly")
    }
    assert writable == {"/tmp", "/data", "/var/lib/lianban/files"}


# -- available


def test_every_server_is_probed_in_all_three_ways(manifests: list[Manifest]) -> None:
    for workload in of_kind(manifests, *SERVING):
        for container in pod_of(workload)["containers"]:
            named = {port["name"] for port in container["ports"]}
            for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
                assert container[probe]["httpGet"]["port"] in named, f"{name_of(workload)}: {probe}"


def test_liveness_never_asks_for_the_database(manifests: list[Manifest]) -> None:
    for where, container in containers(manifests):
        if where.split("/")[0].endswith(("-api", "-worker")) and "livenessProbe" in container:
            assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
            assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"


def test_whatever_runs_more_than_once_has_a_disruption_budget(manifests: list[Manifest]) -> None:
    budgets = [one["spec"]["selector"]["matchLabels"] for one in of_kind(manifests, "PodDisruptionBudget")]
    for workload in of_kind(manifests, *SERVING):
        if most_replicas(manifests, workload) > 1:
            labels = labels_of(workload).items()
            assert [one for one in budgets if one.items() <= labels], name_of(workload)
            assert pod_of(workload)["topologySpreadConstraints"], name_of(workload)


def test_budgets_and_scalers_aim_at_something(manifests: list[Manifest]) -> None:
    servers = of_kind(manifests, *SERVING)
    for budget in of_kind(manifests, "PodDisruptionBudget"):
        wanted = budget["spec"]["selector"]["matchLabels"].items()
        assert len([one for one in servers if wanted <= labels_of(one).items()]) == 1, name_of(budget)
    for scaler in of_kind(manifests, "HorizontalPodAutoscaler"):
        assert scaler["spec"]["scaleTargetRef"]["name"] in {name_of(one) for one in servers}


def test_an_upgrade_takes_nothing_away_before_the_new_is_ready(manifests: list[Manifest]) -> None:
    for deployment in of_kind(manifests, "Deployment"):
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_pods_are_given_the_time_that_their_end_takes(manifests: list[Manifest]) -> None:
    for deployment in of_kind(manifests, "Deployment"):
        [container] = pod_of(deployment)["containers"]
        stop = container.get("lifecycle", {}).get("preStop", {})
        slept = stop.get("sleep", {}).get("seconds", 0)
        if "exec" in stop:
            slept = int(re.findall(r"sleep (\d+)", stop["exec"]["command"][-1])[0])
        own = 0 if name_of(deployment) == "edge" else GRACEFUL_SECONDS
        assert pod_of(deployment)["terminationGracePeriodSeconds"] > slept + own, name_of(deployment)


def test_every_pool_fits_into_the_database(manifests: list[Manifest]) -> None:
    [cluster] = of_kind(manifests, "Cluster")
    told = _config_map(manifests, "platform")
    pool = int(told["DATABASE_POOL_SIZE"])
    for_operator_and_people = 20
    # One pod more of each during an upgrade; a worker's relay holds a connection of its own; one migration.
    wanted = sum(
        (most_replicas(manifests, one) + 1) * (pool + name_of(one).endswith("-worker"))
        for one in of_kind(manifests, "Deployment")
        if name_of(one) != "edge"
    )
    limit = int(cluster["spec"]["postgresql"]["parameters"]["max_connections"])
    assert wanted + len(SERVICES) + for_operator_and_people <= limit


# -- wired


def _config_map(manifests: list[Manifest], name: str) -> dict[str, str]:
    [found] = [
        one for one in of_kind(manifests, "ConfigMap") if re.fullmatch(rf"{name}(-\w{{10}})?", name_of(one))
    ]
    return cast("dict[str, str]", found["data"])


@pytest.mark.parametrize("service", SERVICES)
def test_services_have_an_api_a_worker_and_a_migration(manifests: list[Manifest], service: str) -> None:
    arguments = {name_of(one): pod_of(one)["containers"][0]["args"] for one in of_kind(manifests, *WORKLOADS)}
    image = next(pod_of(one) for one in of_kind(manifests, "Job") if name_of(one).startswith(f"{service}-"))
    tag = image["containers"][0]["image"].rpartition(":")[2]
    assert arguments[f"{service}-api"] == ["api"]
    assert arguments[f"{service}-worker"] == ["worker"]
    assert arguments[f"{service}-migrate-{tag}"] == ["migrate"]


@pytest.mark.parametrize("service", SERVICES)
def test_no_code_starts_before_its_migration(manifests: list[Manifest], service: str) -> None:
    for role in ("api", "worker"):
        [deployment] = [
            one for one in of_kind(manifests, "Deployment") if name_of(one) == f"{service}-{role}"
        ]
        [waiting] = pod_of(deployment)["initContainers"]
        assert waiting["command"] == ["python", "/app/await_migrations.py"]
        assert waiting["image"] == pod_of(deployment)["containers"][0]["image"]


@pytest.mark.parametrize("service", SERVICES)
def test_services_are_told_what_their_settings_ask_for(manifests: list[Manifest], service: str) -> None:
    settings = _settings(service)
    secret = _described_secrets()[service]
    for workload in of_kind(manifests, *WORKLOADS):
        if labels_of(workload)["app.kubernetes.io/name"] != service:
            continue
        told: set[str] = set()
        for source in pod_of(workload)["containers"][0]["envFrom"]:
            assert source["prefix"] == settings.model_config.get("env_prefix")
            if "secretRef" in source:
                told |= secret
            else:
                told |= set(_config_map(manifests, re.escape(source["configMapRef"]["name"])))
        fields = {name.upper(): field for name, field in settings.model_fields.items()}
        required = {name for name, field in fields.items() if field.is_required()}
        assert told <= set(fields), f"{name_of(workload)}: nobody reads {told - set(fields)}"
        assert required <= told, f"{name_of(workload)}: not told {required - told}"
        assert ("FILES_FOLDER" in fields) == ("FILES_FOLDER" in told), f"{service} keeps files"


def _settings(service: str) -> type[ServiceSettings]:
    module = __import__(f"{service}_service.settings", fromlist=["Settings"])
    return cast("type[ServiceSettings]", module.Settings)


def test_files_that_settings_name_are_mounted(manifests: list[Manifest]) -> None:
    for service in SERVICES:
        paths = [
            value for value in _config_map(manifests, f"{service}-settings").values() if value.startswith("/")
        ]
        for role in ("api", "worker"):
            [deployment] = [
                one for one in of_kind(manifests, "Deployment") if name_of(one) == f"{service}-{role}"
            ]
            mounts = [mount["mountPath"] for mount in pod_of(deployment)["containers"][0]["volumeMounts"]]
            assert all(any(path.startswith(mount) for mount in mounts) for path in paths), service


def test_whoever_opens_the_database_knows_its_authority(manifests: list[Manifest]) -> None:
    file = _config_map(manifests, "platform")["DATABASE_CA_FILE"]
    for service in SERVICES:
        own = [one for one in of_kind(manifests, *WORKLOADS) if name_of(one).startswith(f"{service}-")]
        assert len(own) == 3
        for workload in own:
            pod = pod_of(workload)
            for container in (*pod.get("initContainers", []), *pod["containers"]):
                mounts = {one["name"]: one["mountPath"] for one in container["volumeMounts"]}
                assert file == f"{mounts['postgres-ca']}/ca.crt"
            for waiting in pod.get("initContainers", []):
                assert {"name": "DATABASE_CA_FILE", "value": file} in waiting["env"]
            [volume] = [one for one in pod["volumes"] if one["name"] == "postgres-ca"]
            assert [item["key"] for item in volume["secret"]["items"]] == ["ca.crt"], "never its key"


def test_addresses_inside_name_a_service_that_exists(manifests: list[Manifest]) -> None:
    services = {name_of(one) for one in of_kind(manifests, "Service")}
    for config in of_kind(manifests, "ConfigMap"):
        for key, value in config["data"].items():
            if key.endswith("_URL") and value.startswith("http://"):
                assert re.fullmatch(r"http://([a-z-]+):8080", value), value
                assert value.split("/")[2].split(":")[0] in services


def test_every_service_leads_to_a_port_of_somebody(manifests: list[Manifest]) -> None:
    servers = of_kind(manifests, *SERVING)
    for service in of_kind(manifests, "Service"):
        selected = [one for one in servers if service["spec"]["selector"].items() <= labels_of(one).items()]
        assert len(selected) == 1, name_of(service)
        named = {port["name"] for port in pod_of(selected[0])["containers"][0]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named, name_of(service)


def test_every_mounted_config_exists(manifests: list[Manifest]) -> None:
    made_by_hand = {"service-clients"}
    there = {name_of(one) for one in of_kind(manifests, "ConfigMap")} | made_by_hand
    for workload in of_kind(manifests, *WORKLOADS):
        mounted = {
            one["configMap"]["name"] for one in pod_of(workload).get("volumes", []) if "configMap" in one
        }
        assert mounted <= there, name_of(workload)


# -- rendered


@pytest.fixture(scope="module")
def renderer() -> Any:
    spec = importlib.util.spec_from_file_location("render", K8S / "render.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_edge_is_what_the_gateway_renders_today(renderer: Any) -> None:
    assert {overlay.name for overlay in renderer.OVERLAYS} == set(OVERLAYS)
    for overlay in renderer.OVERLAYS:
        stale = "run deploy/k8s/render.py"
        assert overlay.envoy_file.read_text() == overlay.envoy(), stale


def test_identity_learns_the_scopes_of_today(renderer: Any, application: Callable[[str], FastAPI]) -> None:
    documents = [application(service).openapi() for service in SERVICES]
    assert renderer.SCOPES_FILE.read_text() == renderer.scopes(documents), "run deploy/k8s/render.py"

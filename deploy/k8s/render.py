"""Writes what the overlays carry of our own code's making: the edge's configuration and the list of scopes.

Run from anywhere: ``.venv/bin/python deploy/k8s/render.py``. A guard test compares.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from gateway_service.edge.envoy import render as render_envoy
from gateway_service.edge.options import in_kubernetes
from lianban_local.openapi import write_documents

HERE = Path(__file__).resolve().parent
SCOPES_FILE = HERE / "base" / "identity" / "scopes.json"


@dataclass(frozen=True)
class Overlay:
    """What the edge of one overlay is told beyond its kustomization."""

    name: str
    # Proxies of ours in front of the edge. None: X-Forwarded-For is forged, whoever sends it.
    trusted_hops: int
    allowed_origins: tuple[str, ...] = ()

    @property
    def envoy_file(self) -> Path:
        return HERE / "overlays" / self.name / "edge" / "envoy.yaml"

    def envoy(self) -> str:
        """Envoy's configuration for this overlay's namespace, issuer and sampling."""
        kustomization = yaml.safe_load((HERE / "overlays" / self.name / "kustomization.yaml").read_text())
        platform = _literals(kustomization, "platform")
        return render_envoy(
            in_kubernetes(
                issuer=platform["ISSUER"],
                namespace=kustomization["namespace"],
                allowed_origins=self.allowed_origins,
                trusted_hops=self.trusted_hops,
                trace_ratio=float(platform["TRACE_SAMPLE_RATIO"]),
            )
        )


OVERLAYS = (
    Overlay("dev", trusted_hops=0, allowed_origins=(r"http://localhost(:\d+)?",)),
    Overlay("prod", trusted_hops=1),
)


def _literals(kustomization: Any, name: str) -> dict[str, str]:
    generator = next(one for one in kustomization["configMapGenerator"] if one["name"] == name)
    pairs = (literal.partition("=") for literal in generator["literals"])
    return {key: value for key, _, value in pairs}


def scopes(documents: Iterable[Any]) -> str:
    """The ``x-lianban-scopes`` of all OpenAPI documents as the file that identity reads."""
    found = [scope for document in documents for scope in document.get("x-lianban-scopes", [])]
    return (
        json.dumps(sorted(found, key=lambda scope: str(scope["name"])), ensure_ascii=False, indent=1) + "\n"
    )


def openapi_documents() -> Iterator[Any]:
    """What every service's routes say of themselves."""
    with TemporaryDirectory() as folder:
        for file in write_documents(Path(folder)):
            yield json.loads(file.read_text())


if __name__ == "__main__":
    for overlay in OVERLAYS:
        overlay.envoy_file.write_text(overlay.envoy())
    SCOPES_FILE.write_text(scopes(openapi_documents()))

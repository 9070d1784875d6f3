"""What a rendering of the edge is told: where it listens, where the services are, whom it trusts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from gateway_service.edge.routes import RATE_LIMITS, ROUTES, SERVICES, RateClass, RateLimit, Route


@dataclass(frozen=True, slots=True)
class Address:
    """A host (name or address) and a port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads ``host:port``. Raises: ValueError."""
        host, _, port = text.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError(f"not host:port: {text}")
        return cls(host, int(port))


@dataclass(frozen=True, slots=True)
class Tls:
    """Certificate chain and private key, PEM files on the machine where Envoy runs."""

    certificate: Path
    private_key: Path


@dataclass(frozen=True, slots=True)
class EdgeOptions:
    """One rendering. Defaults fit one machine; ``in_kubernetes`` gives those of a cluster."""

    issuer: str
    upstreams: Mapping[str, Address]
    listen: Address
    admin_port: int
    # Readiness and metrics for kubelet and Prometheus, apart from the admin port that can also stop Envoy.
    status: Address | None = None
    # Name that resolves to all replicas of the edge: they share the rate limits.
    peers: Address | None = None
    # Origins whose pages may call us from a browser (CORS), as regular expressions over the whole origin.
    allowed_origins: Sequence[str] = (r"http://localhost(:\d+)?",)
    # Proxies of ours in front of the edge that set X-Forwarded-For; none: whatever arrives there is forged.
    trusted_hops: int = 0
    tls: Tls | None = None
    trace_ratio: float = 0.1
    otlp: Address | None = None
    routes: Sequence[Route] = ROUTES
    limits: Mapping[RateClass, RateLimit] = field(default_factory=lambda: RATE_LIMITS)

    def __post_init__(self) -> None:
        missing = {route.upstream for route in self.routes} | {"identity"}
        missing -= set(self.upstreams)
        if missing:
            raise ValueError(f"no address for upstream {', '.join(sorted(missing))}")


def in_kubernetes(
    *,
    issuer: str,
    namespace: str,
    allowed_origins: Sequence[str] = (),
    trusted_hops: int = 1,
    tls: Tls | None = None,
    trace_ratio: float = 0.1,
    otlp: Address | None = None,
) -> EdgeOptions:
    """The edge of a cluster: services by their DNS names (headless, so that Envoy sees every pod)."""

    def service(name: str, port: int) -> Address:
        return Address(f"{name}.{namespace}.svc.cluster.local", port)

    return EdgeOptions(
        issuer=issuer,
        upstreams={name: service(f"{name}-api", 8080) for name in SERVICES},
        listen=Address("0.0.0.0", 8443 if tls else 8080),  # noqa: S104 - a pod's only address
        admin_port=9901,
        status=Address("0.0.0.0", 9902),  # noqa: S104
        peers=service("edge-peers", 8080),
        allowed_origins=tuple(allowed_origins),
        trusted_hops=trusted_hops,
        tls=tls,
        trace_ratio=trace_ratio,
        otlp=otlp,
    )

"""``python -m gateway_service envoy``: writes Envoy's configuration for one machine or for a cluster."""

import os
from pathlib import Path
from typing import Annotated

import typer

from gateway_service.edge.envoy import render
from gateway_service.edge.options import Address, EdgeOptions, Tls, in_kubernetes

_LOCAL_ORIGINS = (r"http://localhost(:\d+)?",)


def envoy(
    out: Annotated[Path, typer.Option(help="File to write.")],
    *,
    origin: Annotated[
        str | None, typer.Option(help="Origin that people see; its `/identity` is the issuer of tokens.")
    ] = None,
    listen_host: Annotated[str, typer.Option(help="Address of the origin on this machine.")] = "127.0.0.1",
    listen_port: Annotated[int, typer.Option(help="Port of the origin on this machine.")] = 8080,
    admin_port: Annotated[int, typer.Option(help="Envoy's admin port, on loopback only.")] = 9901,
    upstream: Annotated[
        list[str] | None,
        typer.Option(help="A service on this machine: `identity=127.0.0.1:8001`, once for each."),
    ] = None,
    kubernetes: Annotated[
        bool,
        typer.Option("--kubernetes", help="Render for a cluster: services by DNS name, shared rate limits."),
    ] = False,
    namespace: Annotated[str, typer.Option(help="Namespace of the services in the cluster.")] = "lianban",
    allow_origin: Annotated[
        list[str] | None, typer.Option(help="Origin whose pages may call us (CORS), a regular expression.")
    ] = None,
    trusted_hops: Annotated[int | None, typer.Option(help="Our own proxies in front of the edge.")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="TLS certificate chain (PEM), as Envoy sees it.")
    ] = None,
    private_key: Annotated[Path | None, typer.Option(help="TLS private key (PEM), as Envoy sees it.")] = None,
    trace_ratio: Annotated[float, typer.Option(help="Share of new traces recorded.", min=0, max=1)] = 0.1,
    otlp: Annotated[str | None, typer.Option(help="OTLP/HTTP collector, `host:port`.")] = None,
) -> None:
    """Render Envoy's configuration from the route table."""
    tls = Tls(certificate, private_key) if certificate and private_key else None
    collector = Address.parse(otlp) if otlp else None
    if kubernetes:
        if origin is None:
            raise typer.BadParameter("a cluster has no default origin", param_hint="--origin")
        options = in_kubernetes(
            issuer=f"{origin}/identity",
            namespace=namespace,
            allowed_origins=allow_origin or (),
            trusted_hops=1 if trusted_hops is None else trusted_hops,
            tls=tls,
            trace_ratio=trace_ratio,
            otlp=collector,
        )
    else:
        options = EdgeOptions(
            issuer=f"{origin or f'http://localhost:{listen_port}'}/identity",
            upstreams=_upstreams(upstream or []),
            listen=Address(listen_host, listen_port),
            admin_port=admin_port,
            allowed_origins=allow_origin or _LOCAL_ORIGINS,
            trusted_hops=trusted_hops or 0,
            tls=tls,
            trace_ratio=trace_ratio,
            otlp=collector,
        )
    _write(out, render(options))


def _upstreams(given: list[str]) -> dict[str, Address]:
    pairs = (one.partition("=") for one in given)
    try:
        return {name: Address.parse(address) for name, _, address in pairs}
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--upstream") from error


def _write(out: Path, text: str) -> None:
    """Whole or not at all: an Envoy that starts at this moment must not read half of it."""
    half = out.with_name(f".{out.name}.{os.getpid()}")
    half.write_text(text, encoding="utf-8")
    half.replace(out)

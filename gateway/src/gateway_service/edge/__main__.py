"""``python -m gateway_service.edge``: ``gateway_service envoy`` without importing the application, 0.1 s instead of 1.4."""

import typer

from gateway_service.edge.command import envoy

if __name__ == "__main__":
    typer.run(envoy)

"""``python -m gateway_service api | worker | all | migrate | openapi | envoy | …``."""

from gateway_service.app import define_service
from gateway_service.edge.command import envoy
from service_common.cli import service_cli

cli = service_cli(define_service)
cli.command(name="envoy")(envoy)

if __name__ == "__main__":
    cli()

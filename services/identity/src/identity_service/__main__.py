"""``python -m identity_service api | worker | all | migrate | openapi | create-administrator | signing-keys | …``."""

from identity_service.app import define_service
from identity_service.operations import add_operations
from service_common.cli import service_cli

cli = service_cli(define_service)
add_operations(cli)

if __name__ == "__main__":
    cli()

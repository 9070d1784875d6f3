"""``python -m evaluation_service api | worker | all | migrate | openapi | …``."""

from evaluation_service.app import define_service
from service_common.cli import service_cli

cli = service_cli(define_service)

if __name__ == "__main__":
    cli()

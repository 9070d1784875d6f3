"""``python -m acceptance_service api | worker | all | migrate | openapi | departments rebuild | …``."""

from acceptance_service.app import define_service
from acceptance_service.departments.commands import departments_cli
from service_common.cli import service_cli

cli = service_cli(define_service)
cli.add_typer(departments_cli(define_service), name="departments")

if __name__ == "__main__":
    cli()

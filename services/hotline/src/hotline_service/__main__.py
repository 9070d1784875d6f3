"""``python -m hotline_service api | worker | all | migrate | openapi | departments rebuild | …``."""

from hotline_service.app import define_service
from hotline_service.departments.models import Department
from service_common.cli import service_cli
from service_common.departments_cli import departments_cli

cli = service_cli(define_service)
cli.add_typer(departments_cli(define_service, Department), name="departments")

if __name__ == "__main__":
    cli()

"""HTTP of the organisation."""

from identity_service.organisation.routes.departments import router as departments
from identity_service.organisation.routes.divisions import router as divisions
from identity_service.organisation.routes.roles import router as roles
from identity_service.organisation.routes.snapshot import router as snapshot
from identity_service.organisation.routes.staff import router as staff

routers = (divisions, departments, staff, roles, snapshot)

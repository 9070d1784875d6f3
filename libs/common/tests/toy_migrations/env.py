from service_common.db import service_metadata
from service_common.migrations import run_env
from service_common.tables import attach_plumbing

metadata = service_metadata()
attach_plumbing(metadata)
run_env(metadata)

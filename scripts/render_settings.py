"""Writes ``docs/settings.md`` from the services' settings classes: ``python -m scripts.render_settings``."""

import importlib
import inspect
import json
import sys
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from scripts.rendered import sentence, table, write_or_compare

from lianban_local.deployables import DEPLOYABLES, Deployable
from service_common.settings import ServiceSettings

HEAD = """\
# Settings

Written by `python -m scripts.render_settings` from `service_common.settings` and each service's `settings.py`; change those, not this.

Every setting is an environment variable, read once at the start. What has no default is required: without it the process does
not start. `make run` sets them all; in Kubernetes they come from the ConfigMaps and [Secrets](../deploy/k8s/secrets.md).
"""

OTHERS = """\
## Outside the services

| variable | read by | meaning |
| --- | --- | --- |
| `ADMINISTRATOR_PASSWORD`, `ADMINISTRATOR_TOTP_SECRET` | `identity_service create-administrator` | of the first account; otherwise made up and shown once |
| `DATABASE_URL` | `deploy/k8s/image/await_migrations.py` | the database whose migrations a pod waits for |
| `DATABASE_CA_FILE` | `deploy/k8s/image/await_migrations.py` | authority that must have signed that server's certificate |
| `LIANBAN_POSTGRES_ADMIN_URL`, `NATS_URL` | `lianban_local` | servers of your own instead of the embedded ones |
| `UV_DEFAULT_INDEX` | `scripts/bootstrap.sh` | where packages come from, else what pip is configured with |
"""

_KINDS = {
    SecretStr: "secret",
    Path: "path",
    str: "text",
    int: "integer",
    float: "number",
    bool: "true, false",
}


def main() -> int:
    prefixes = ", ".join(f"`{one.prefix}`" for one in DEPLOYABLES)
    common = f"## Every service\n\nWith the prefix of the service: {prefixes}.\n\n"
    parts = [
        HEAD.strip(),
        common + _table("", ServiceSettings.model_fields, None),
        *map(_service, DEPLOYABLES),
        OTHERS.strip(),
    ]
    return write_or_compare("settings.md", "\n\n".join(parts) + "\n")


def _service(deployable: Deployable) -> str:
    settings: type[ServiceSettings] = importlib.import_module(f"{deployable.module}.settings").Settings
    own = {
        name: field
        for name, field in settings.model_fields.items()
        if name not in ServiceSettings.model_fields
    }
    package = Path(inspect.getfile(settings)).parent
    return f"## {deployable.name}\n\n{_table(deployable.prefix, own, package)}"


def _table(prefix: str, fields: dict[str, FieldInfo], package: Path | None) -> str:
    rows = (
        [
            f"`{prefix}{name.upper()}`",
            _kind(field.annotation),
            _default(field, package),
            sentence(field.description),
        ]
        for name, field in fields.items()
    )
    return table(("variable", "type", "default", "meaning"), rows)


def _kind(annotation: Any) -> str:
    if get_origin(annotation) in (Union, UnionType):
        [inner] = [one for one in get_args(annotation) if one is not type(None)]
        return _kind(inner)
    if get_origin(annotation) is Literal:
        return ", ".join(map(str, get_args(annotation)))
    if get_origin(annotation) is frozenset:
        return "JSON list"
    return _KINDS[annotation]


def _default(field: FieldInfo, package: Path | None) -> str:
    if field.is_required():
        return "required"
    value = field.default
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, frozenset):
        return f"`{json.dumps(sorted(value))}`"
    if isinstance(value, Path) and package and value.is_relative_to(package):
        return f"the package's `{value.relative_to(package)}`"
    return f"`{value}`"


if __name__ == "__main__":
    sys.exit(main())

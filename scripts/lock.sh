#!/usr/bin/env bash
# Recompiles the hash-pinned locks: one for the workspace, one per image. Carries no index address.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=.venv/bin/uv
members=(service-common gov-rules gateway-service identity-service acceptance-service certificates-service hotline-service evaluation-service lianban-local)
common=(--quiet --universal --generate-hashes --python-version 3.11 --no-annotate --custom-compile-command "make lock")
for member in "${members[@]}"; do common+=(--no-emit-package "$member"); done
"$uv" pip compile "${common[@]}" "$@" pyproject.toml --group dev -o requirements.lock
for part in gateway services/*; do
  "$uv" pip compile "${common[@]}" -c requirements.lock "$part/pyproject.toml" -o "$part/requirements.lock"
done

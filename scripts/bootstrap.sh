#!/usr/bin/env bash
# Makes .venv what requirements.lock says, from nothing but Python 3.11. Does nothing when it already is.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$(pwd -P)
members=(libs/common libs/gov gateway services/identity services/acceptance services/certificates services/hotline services/evaluation deploy/local)

# The stamp names everything that decides the content of .venv; console scripts hold absolute paths, so the place counts too.
stamp=$({ echo "$root"; cat requirements.lock scripts/bootstrap.sh pyproject.toml "${members[@]/%//pyproject.toml}"; } | sha256sum)
[ "$stamp" = "$(cat .venv/.stamp 2>/dev/null)" ] && exit 0

# Two first starts at once must not build one environment together.
exec 9<requirements.lock
if command -v flock >/dev/null; then flock 9; fi
[ "$stamp" = "$(cat .venv/.stamp 2>/dev/null)" ] && exit 0

python=$(command -v python3.11 || command -v python3 || true)
if [ -z "$python" ] || ! "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))'; then
  echo "Python 3.11 is needed, as python3.11 or python3." >&2
  exit 1
fi

if [ -d .venv ] && ! grep -qF -- "$root/.venv" .venv/pyvenv.cfg; then rm -rf .venv; fi
if [ ! -x .venv/bin/uv ]; then
  echo "Creating .venv …"
  "$python" -m venv --clear "$root/.venv"
  sed -n '/^uv==/,/[^\\]$/p' requirements.lock >.venv/uv.lock
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r .venv/uv.lock
fi

# A mirror set up for pip serves uv as well.
if [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ]; then
  mirror=$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)
  if [ -n "$mirror" ]; then export UV_DEFAULT_INDEX="$mirror"; fi
fi

echo "Installing what requirements.lock names …"
export VIRTUAL_ENV="$root/.venv"
.venv/bin/uv pip sync --quiet --require-hashes requirements.lock
editables=()
for member in "${members[@]}"; do editables+=(--editable "$member"); done
.venv/bin/uv pip install --quiet --no-build-isolation --no-deps "${editables[@]}"
echo "$stamp" >.venv/.stamp

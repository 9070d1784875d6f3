"""npm ``oidc-provider`` on loopback: one Node process, its in-memory adapter, ES256, keep-alive."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


@dataclass(frozen=True)
class RunningPeer:
    """Where it answers, and the cookie headers of browsers that are logged in."""

    pid: int
    origin: str
    cookies: Sequence[str]


def missing() -> list[str]:
    return [name for name in ("node", "npm") if shutil.which(name) is None]


@contextmanager
def running(folder: Path, *, port: int, config: dict[str, Any]) -> Iterator[RunningPeer]:
    """The server with these clients. Installs the packages of the lock file when they are not there."""
    if not (_HERE / "node_modules").exists():
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=_HERE, check=True)
    folder.mkdir(parents=True)
    origin = f"http://127.0.0.1:{port}"
    file = folder / "config.json"
    file.write_text(json.dumps({"port": port, "issuer": origin, **config}))
    with (folder / "errors.log").open("w") as errors:
        process = subprocess.Popen(
            ["node", "server.mjs", str(file)],
            cwd=_HERE,
            env={**os.environ, "NODE_ENV": "production"},
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(
                    f"oidc-provider did not start: {(folder / 'errors.log').read_text()[:2000]}"
                )
            yield RunningPeer(process.pid, origin, json.loads(line)["cookies"])
        finally:
            process.terminate()
            process.wait(10)

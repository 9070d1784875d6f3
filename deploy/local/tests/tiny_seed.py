"""``python tiny_seed.py FOLDER``: stands for the demo seed; finds the platform by ``run.json`` as that does."""

import sys
from pathlib import Path

import httpx

from lianban_local import runfile, seeding
from lianban_local.runfile import Account
from lianban_local.seeding import SeedResult
from lianban_local.state import StateFolder

state = StateFolder(Path(sys.argv[1]))
httpx.get(f"{runfile.read_run_json(state.run_file).base_url}/health/ready").raise_for_status()
with (state.path / "seeded.times").open("a") as count:
    count.write("x")
seeding.remember(state, SeedResult(accounts=[Account(role="citizen", username="wang", password="secret")]))

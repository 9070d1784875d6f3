"""``python -m lianban_local.authority --port PORT``."""

from typing import Annotated

import typer
import uvicorn

from lianban_local.authority.app import app


def main(port: Annotated[int, typer.Option()]) -> None:
    """Answer on loopback until SIGTERM."""
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    typer.run(main)

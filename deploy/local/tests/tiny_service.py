"""A service with nothing but what the supervisor asks of one: environment, migrate, health."""

import json
import os
import sys
from pathlib import Path

import psycopg
import uvicorn
from fastapi import FastAPI, Response

app = FastAPI()
_PREFIX = os.environ["TINY_SERVICE_PREFIX"]


def _setting(name: str) -> str:
    return os.environ[f"{_PREFIX}{name}"]


@app.get("/health/ready")
def ready(response: Response) -> dict[str, str]:
    try:
        with psycopg.connect(_setting("DATABASE_URL"), connect_timeout=30) as connection:
            connection.execute("SELECT version_num FROM alembic_version")
    except psycopg.Error as error:
        response.status_code = 503
        return {"status": type(error).__name__}
    return {"status": "ready"}


def migrate() -> None:
    with psycopg.connect(_setting("DATABASE_URL")) as connection:
        connection.execute("CREATE TABLE alembic_version (version_num text)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")


if __name__ == "__main__":
    match sys.argv[1]:
        case "migrate":
            migrate()
        case "openapi":
            scope = {"name": "tiny:rows.read", "zh": "读取", "en": "Read", "roles": ["citizen"]}
            Path(sys.argv[-1]).write_text(json.dumps({"x-lianban-scopes": [scope]}))
        case "all":
            uvicorn.run(app, host=_setting("HOST"), port=int(_setting("PORT")), log_level="warning")

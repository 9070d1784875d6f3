"""Liveness and readiness for Kubernetes. Not routed from outside."""

import asyncio
from typing import Annotated

import asyncpg
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from service_common.auth import PUBLIC
from service_common.db import Database
from service_common.revisions import carries

health_router = APIRouter(tags=["health"], include_in_schema=False)


async def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


@health_router.get("/health/live", dependencies=[PUBLIC])
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@health_router.get("/health/ready", dependencies=[PUBLIC])
async def ready(request: Request, database: Annotated[Database, Depends(_database)]) -> JSONResponse:
    """Database reachable, its schema at least what the code expects; the broker decides for a worker alone.

    An API goes on without the broker: its events wait in the outbox.
    """
    checks = {"database": False, "migrations": False, "nats": False}
    try:
        async with asyncio.timeout(2), database.sessions() as session:
            revision = await session.scalar(text("SELECT version_num FROM alembic_version"))
            checks["database"] = True
            checks["migrations"] = carries(revision, request.app.state.migration_head)
    except (SQLAlchemyError, OSError, TimeoutError, asyncpg.PostgresError):
        pass
    client = request.app.state.nats
    checks["nats"] = client is not None and client.is_connected
    ok = checks["database"] and checks["migrations"] and (checks["nats"] or request.app.state.answers_http)
    return JSONResponse({"status": "ready" if ok else "not_ready", "checks": checks}, 200 if ok else 503)


@health_router.get("/metrics", dependencies=[PUBLIC])
async def metrics() -> Response:
    """Prometheus text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

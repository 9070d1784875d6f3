"""``search_p95_ms`` and ``search_p95_growth``: the catalogue search at 75,041 items, and how much slower that is than the real ones.

The real catalogue is published through the service's own handlers; then every item is multiplied over the counties by COPY, with
the county as its division. The growth is measured at the handler (session, three statements, names of departments), where
nothing constant hides it; the milliseconds are those of the whole application, from the request to the rendered answer.
A third size tells what is not asked: 75,041 items with a title of their own each.
"""

import argparse
import asyncio
import base64
import json
import statistics
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import count, islice
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import psycopg
from pydantic import SecretStr
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.app import MIGRATIONS, define_service
from acceptance_service.catalogue.domain import Action, ImportKind
from acceptance_service.catalogue.handlers.imports import import_file
from acceptance_service.catalogue.handlers.review import Decision, act_on_import
from acceptance_service.departments.handlers import department_names
from acceptance_service.departments.models import Department
from acceptance_service.search.domain import exact_token, postings
from acceptance_service.search.handlers import Wish, search_catalogue
from acceptance_service.settings import Settings
from bench.result import Result
from gov_rules.divisions import DivisionKind, DivisionLevel, all_divisions
from lianban_local import databases, ports
from lianban_local.servers.postgres import PostgresServer
from service_common.app import create_app
from service_common.db import Database
from service_common.departments import DepartmentState, keep_departments
from service_common.migrations import migrate

ITEMS = 75_041
ROUNDS = 3
CATALOGUE = Path(__file__).resolve().parents[1] / "data" / "catalogue"
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
WISHES = [
    "开小卖部",
    "我要开便利店",
    "开饭店",
    "关公司",
    "退休金",
    "我要退休了",
    "生孩子",
    "孩子上学",
    "小学报名",
    "残疾证",
    "低保",
    "创业补贴",
    "食品经营许可证",
    "公共场所卫生许可",
    "卖烟",
    "消防检查",
    "个体户营业执照",
    "失业金",
    "身份证",
    "结婚登记",
    "取水许可",
    "律师",
    "建设工程规划许可证",
    "林木采伐",
    "医师执业注册",
    "动物防疫条件",
    "户口迁移",
    "道路运输经营许可",
    "安全生产许可证变更",
    "社会保险登记",
    "住房公积金提取",
    "变更登记",
    "许可证",
    "营业执照",
    "娱乐场所",
    "医疗救助",
    "教师资格证",
    "农药经营许可",
    "不动产登记",
    "税务登记",
]


def missing() -> str | None:
    """Everything that this needs comes with the platform."""
    return None


def measure(folder: Path) -> list[Result]:
    """On a PostgreSQL of its own, configured as the platform's."""
    server = PostgresServer(folder, port=ports.choose(), password=uuid.uuid4().hex, max_connections=40)
    server.start()
    try:
        server.wait_ready()
        with psycopg.connect(server.admin_url, autocommit=True) as connection:
            databases.ensure_role(connection, "acceptance", "bench")
            databases.ensure_database(connection, "acceptance", owner="acceptance")
        figures = run(
            databases.url_of(server.admin_url, database="acceptance", role="acceptance", password="bench")
        )
    finally:
        server.stop()
    return [
        Result(
            name="search_p95_growth",
            value=figures["growth"],
            unit="ratio",
            goal=2,
            at_most=True,
            peer=f"the same search at the {figures['real']['items']:,} real items",
            detail=f"handler p95 {figures['real']['handler_p95_ms']} → {figures['multiplied']['handler_p95_ms']} ms; "
            f"with {ITEMS:,} different titles {figures['distinct']['handler_p95_ms']} ms",
        ),
        Result(
            name="search_p95_ms",
            value=figures["multiplied"]["http_p95_ms"],
            unit="ms",
            goal=50,
            at_most=True,
            peer="none: a limit",
            detail=f"{ITEMS:,} items, whole application; p50 {figures['multiplied']['http_p50_ms']} ms, "
            f"{len(WISHES)} wishes with and without division, {ROUNDS} rounds",
        ),
    ]


def run(database_url: str) -> dict[str, Any]:
    """Seeds an empty database and measures at three sizes; milliseconds."""
    migrate(database_url, MIGRATIONS)
    return asyncio.run(_run(database_url))


async def _run(database_url: str) -> dict[str, Any]:
    settings = _settings(database_url)
    database = Database.connect(settings)
    plain = await asyncpg.connect(database_url)
    try:
        async with database.sessions() as session, session.begin():
            await _publish_catalogue(session)
        await plain.execute("VACUUM ANALYZE")
        divisions = _counties()
        real = await _measure(database, settings, plain, ["511602000000", "430300000000"])
        await _multiply(plain, divisions)
        multiplied = await _measure(database, settings, plain, divisions[:40])
        plan = await _explain(database, plain, divisions[7])
        await _give_titles_of_their_own(plain)
        distinct = await _measure(database, settings, plain, divisions[:40])
        plan_distinct = await _explain(database, plain, divisions[7])
    finally:
        await plain.close()
        await database.close()
    return {
        "real": real,
        "multiplied": multiplied,
        "distinct": distinct,
        "growth": round(multiplied["handler_p95_ms"] / real["handler_p95_ms"], 2),
        "growth_distinct": round(distinct["handler_p95_ms"] / real["handler_p95_ms"], 2),
        "plan": plan,
        "plan_distinct": plan_distinct,
    }


def _settings(database_url: str) -> Settings:
    key = base64.b64encode(b"b" * 32).decode()
    return Settings(
        database_url=SecretStr(database_url),
        nats_url=SecretStr("nats://127.0.0.1:1"),
        issuer="http://localhost/identity",
        identity_url="http://127.0.0.1:1",
        data_keys=SecretStr(f"1:{key}"),
        index_key=SecretStr(key),
    )


async def _publish_catalogue(session: AsyncSession) -> None:
    departments = json.loads((CATALOGUE / "departments.json").read_text())["departments"]
    await keep_departments(
        session,
        Department,
        [
            DepartmentState(
                id=uuid.uuid5(uuid.NAMESPACE_URL, one["code"]),
                uscc=one["uscc"],
                name=one["name"],
                short_name=one["name"],
                division=one["division"],
                parent_id=None,
                active=True,
                revision=1,
            )
            for one in departments
        ],
    )
    files = [
        (ImportKind.DEPARTMENTS, CATALOGUE / "departments.json"),
        (ImportKind.SYNONYMS, CATALOGUE / "synonyms.csv"),
        (ImportKind.THEMES, CATALOGUE / "themes.csv"),
        *((ImportKind.ITEMS, path) for path in sorted((CATALOGUE / "items").glob("*.jsonl"))),
        *((ImportKind.BUNDLE, path) for path in sorted((CATALOGUE / "bundles").glob("*.json"))),
    ]
    for kind, path in files:
        brought = await import_file(session, kind=kind, body=path.read_bytes(), operator="editor", now=NOW)
        for action in (Action.SUBMIT_REVIEW, Action.APPROVE, Action.PUBLISH):
            operator = "reviewer" if action is Action.APPROVE else "editor"
            await act_on_import(session, brought.row.id, Decision(action, operator, None, NOW))


def _counties() -> list[str]:
    """Counties that have no items of their own in the real catalogue."""
    return [
        f"{one.code}000000"
        for one in all_divisions()
        if one.level is DivisionLevel.COUNTY
        and one.kind is DivisionKind.ADMINISTRATIVE
        and one.code not in ("511602", "430304")
    ]


_ITEM_COLUMNS = [
    "id",
    "code",
    "entry_version",
    "state",
    "definition",
    "content_hash",
    "compiled_elements",
    "line",
    "import_id",
    "brought_in_by",
    "published_at",
    "version",
    "revision",
    "name",
    "item_type",
    "department",
    "department_id",
    "division",
    "applicant_kinds",
    "completeness",
]


async def _multiply(plain: asyncpg.Connection, divisions: Sequence[str]) -> None:
    """Adds copies of the real items, each in another county, until there are 75,041; rows and offers both by COPY."""
    items = await plain.fetch(
        f"SELECT {', '.join(_ITEM_COLUMNS)} FROM service_items WHERE state = 'PUBLISHED'"
    )
    offers = {row["code"]: row for row in await plain.fetch("SELECT * FROM search_offers")}
    copies = (
        (row, division, f"{division[:6]}-{number:06d}")
        for division in divisions
        for number, row in zip(count(1), items)
    )
    chosen = list(islice(copies, ITEMS - len(items)))
    await plain.copy_records_to_table(
        "service_items",
        columns=_ITEM_COLUMNS,
        records=[
            tuple({**row, "id": uuid.uuid4(), "code": code, "division": division}.values())
            for row, division, code in chosen
        ],
    )
    await plain.copy_records_to_table(
        "search_offers",
        columns=list(offers[items[0]["code"]].keys()),
        records=[
            tuple({**offers[row["code"]], "division": division, "code": code}.values())
            for row, division, code in chosen
        ],
    )
    await plain.execute("VACUUM ANALYZE")


async def _give_titles_of_their_own(plain: asyncpg.Connection) -> None:
    """The hard case: every copied item is an entry of its own, called after its county as well."""
    names = {f"{one.code}000000": one.name for one in all_divisions() if one.level is DivisionLevel.COUNTY}
    copies = await plain.fetch(
        "SELECT o.*, e.title FROM search_offers o JOIN search_entries e ON e.id = o.entry_id WHERE o.code LIKE '______-%'"
    )
    first = await plain.fetchval("SELECT max(id) + 1 FROM search_entries")
    entries, tokens, offers = [], [], []
    for number, row in enumerate(copies, start=first):
        title = f"{names[row['division']]}{row['title']}"
        entries.append((number, "ITEM", f"{title}|{row['code']}", title))
        worth = {**postings([(title, 1.0)]), exact_token(title): 1.0}
        tokens += [(token, number, weight) for token, weight in worth.items()]
        offer = {key: value for key, value in row.items() if key != "title"}
        offers.append(tuple({**offer, "entry_id": number}.values()))
    columns = [key for key, _ in copies[0].items() if key != "title"]
    await plain.execute("DELETE FROM search_offers WHERE code LIKE '______-%'")
    await plain.copy_records_to_table(
        "search_entries", columns=["id", "kind", "key", "title"], records=entries
    )
    await plain.copy_records_to_table(
        "search_postings", columns=["token", "entry_id", "weight"], records=tokens
    )
    await plain.copy_records_to_table("search_offers", columns=columns, records=offers)
    await plain.execute("VACUUM ANALYZE")


async def _measure(
    database: Database, settings: Settings, plain: asyncpg.Connection, divisions: Sequence[str]
) -> dict[str, Any]:
    wishes = [
        (wish, place)
        for number, wish in enumerate(WISHES)
        for place in (None, divisions[number % len(divisions)])
    ]
    handler = await _time_handler(database, wishes)
    http = await _time_http(database, settings, wishes)
    return {
        "items": await plain.fetchval("SELECT count(*) FROM service_items WHERE state = 'PUBLISHED'"),
        "entries": await plain.fetchval("SELECT count(*) FROM search_entries"),
        "offers": await plain.fetchval("SELECT count(*) FROM search_offers"),
        "handler_p50_ms": _percentile(handler, 50),
        "handler_p95_ms": _percentile(handler, 95),
        "http_p50_ms": _percentile(http, 50),
        "http_p95_ms": _percentile(http, 95),
    }


async def _time_handler(database: Database, wishes: Sequence[tuple[str, str | None]]) -> list[float]:
    times = []
    for round_ in range(ROUNDS + 1):
        for words, division in wishes:
            started = time.perf_counter()
            async with database.sessions() as session, session.begin():
                wish = Wish(text=words, division=division, applicant_kind=None, limit=10, after=None)
                found = await search_catalogue(session, wish)
                await department_names(session, [one.department_id for one in found])
            if round_:  # the first one warms the caches of server and driver
                times.append(time.perf_counter() - started)
    return times


async def _time_http(
    database: Database, settings: Settings, wishes: Sequence[tuple[str, str | None]]
) -> list[float]:
    app = create_app(define_service(settings), worker=False)
    app.state.database = database
    times = []
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench") as client:
        for round_ in range(ROUNDS + 1):
            for words, division in wishes:
                started = time.perf_counter()
                answer = await client.post(
                    "/acceptance/v1/catalogue/search", json={"text": words, "division": division}
                )
                if round_:
                    times.append(time.perf_counter() - started)
                answer.raise_for_status()
    return times


async def _explain(database: Database, plain: asyncpg.Connection, division: str) -> list[str]:
    """How PostgreSQL answers the scoring statement for a wish of frequent words, within a division."""
    said: list[tuple[str, tuple[Any, ...]]] = []

    def listen(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        said.append((statement, parameters))

    event.listen(database.engine.sync_engine, "before_cursor_execute", listen)
    async with database.sessions() as session, session.begin():
        wish = Wish(text="许可证变更登记", division=division, applicant_kind=None, limit=10, after=None)
        await search_catalogue(session, wish)
    event.remove(database.engine.sync_engine, "before_cursor_execute", listen)
    statement, parameters = said[-1]
    rows = await plain.fetch("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) " + statement, *parameters)
    return [row[0] for row in rows]


def _percentile(times: Sequence[float], percent: int) -> float:
    return round(statistics.quantiles(times, n=100)[percent - 1] * 1000, 2)


def main() -> None:
    """``python -m bench.search --database-url postgresql://…`` on an empty database."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--database-url", required=True, help="an empty database that may be filled")
    print(json.dumps(run(parser.parse_args().database_url), ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()

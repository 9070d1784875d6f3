"""The command line that a production start needs."""

from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from services.identity.tests.factories import MARKET_USCC
from typer.testing import CliRunner

from identity_service.__main__ import cli
from identity_service.db import Transactions
from identity_service.organisation.handlers.departments import list_departments
from identity_service.settings import Settings
from identity_service.signing.domain import ID_TOKEN_ALGORITHMS


@pytest.fixture
def environment(settings: Settings) -> dict[str, str]:
    return {
        "IDENTITY_DATABASE_URL": settings.database_url.get_secret_value(),
        "IDENTITY_NATS_URL": settings.nats_url.get_secret_value(),
        "IDENTITY_ISSUER": settings.issuer,
        "IDENTITY_IDENTITY_URL": settings.identity_url,
        "IDENTITY_AUTHORITY_URL": settings.authority_url,
        "IDENTITY_DATA_KEYS": settings.data_keys.get_secret_value(),
        "IDENTITY_INDEX_KEY": settings.index_key.get_secret_value(),
    }


def run(environment: dict[str, str], *arguments: str) -> str:
    """In a thread of its own: the commands start an event loop, and one runs here."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        done = pool.submit(CliRunner().invoke, cli, arguments, env=environment).result()
    assert done.exit_code == 0, done.output
    return done.output


async def test_the_first_administrator_is_made_once(
    environment: dict[str, str], transactions: Transactions
) -> None:
    command = (
        "create-administrator",
        *("--username", "first.operator", "--name", "示例"),
        *("--department-uscc", MARKET_USCC, "--department-name", "示例运行机构", "--division", "430000"),
    )
    shown = run(environment, *command)
    assert "first.operator" in shown
    secret = next(line for line in shown.splitlines() if line.startswith("TOTP seed")).split()[-1]
    assert len(pyotp.TOTP(secret).now()) == 6
    assert "exists already" in run(environment, *command)
    async with transactions() as session:
        found = await list_departments(session, uscc=MARKET_USCC, division=None, after=None, limit=5)
    assert [department.name for department in found] == ["示例运行机构"]


def test_a_given_password_is_not_repeated(environment: dict[str, str]) -> None:
    chosen = {
        **environment,
        "ADMINISTRATOR_PASSWORD": "given from outside",
        "ADMINISTRATOR_TOTP_SECRET": pyotp.random_base32(),
    }
    shown = run(
        chosen,
        "create-administrator",
        *("--username", "second.operator", "--name", "示例"),
        *("--department-uscc", MARKET_USCC, "--department-name", "示例", "--division", "430000"),
    )
    assert shown.split() == ["user", "name:", "second.operator"]


def test_keys_are_rotated_and_listed(environment: dict[str, str]) -> None:
    made = [run(environment, "signing-keys", "rotate").split() for _ in range(2)]
    listed = [line.split()[:2] for line in run(environment, "signing-keys", "list").splitlines()]
    for keys in made:  # one of each algorithm
        assert {kind for kid, kind in listed if kid in keys} == set(ID_TOKEN_ALGORITHMS)

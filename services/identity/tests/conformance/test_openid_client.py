"""npm ``openid-client`` 6 completes every flow, knowing nothing of us but the issuer's address."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from services.identity.tests.conformance.conftest import HERE, Person
from services.identity.tests.factories import CALLBACK, PASSWORD, Population, RegisteredClient

from identity_service.relying_parties.domain import Authentication, GrantType, SecurityProfile

SCRIPT = HERE / "openid_client.mjs"
AFTER_LOGOUT = "https://partner.example/bye"
ALL = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.DEVICE_CODE)


async def run(folder: Path, told: dict[str, Any], person: Person) -> dict[str, Any]:
    """The application in Node, with somebody at its side who has a browser."""
    script = folder / SCRIPT.name
    script.write_bytes(SCRIPT.read_bytes())
    # Node 18 has the cryptography of the Web, but not under its name.
    flags = ["--experimental-global-webcrypto"] if await _is_node_18() else []
    node = await asyncio.create_subprocess_exec(
        "node", *flags, str(script), cwd=folder,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert node.stdin
    assert node.stdout
    assert node.stderr
    try:
        async with asyncio.timeout(60):
            answer: dict[str, Any] = told
            while True:
                node.stdin.write(json.dumps(answer).encode() + b"\n")
                line = await node.stdout.readline()
                assert line, (await node.stderr.read()).decode()
                asked = json.loads(line)
                if "done" in asked:
                    done: dict[str, Any] = asked["done"]
                    return done
                answer = await _do(asked, person)
    finally:
        if node.returncode is None:
            node.kill()
        await node.wait()


async def _is_node_18() -> bool:
    asked = await asyncio.create_subprocess_exec("node", "--version", stdout=asyncio.subprocess.PIPE)
    told, _ = await asked.communicate()
    return told.startswith(b"v18.")


async def _do(asked: dict[str, Any], person: Person) -> dict[str, Any]:
    match asked["ask"]:
        case "log in":
            return {"address": await person.log_in(asked["url"], PASSWORD)}
        case "let in":
            await person.let_in(asked["url"], PASSWORD)
            return {}
        case _:
            return {"address": await person.visit(asked["url"])}


def told_of(origin: str, client: RegisteredClient, person: Person, **more: Any) -> dict[str, Any]:
    return {
        "issuer": f"{origin}/identity",
        "client_id": client.client_id,
        "secret": client.secret,
        "redirect_uri": CALLBACK,
        "after_logout": AFTER_LOGOUT,
        "name": person.who.name,
        "pushed": True,
        "bound": False,
        "stays": False,
        "flows": ["code", "device"],
        **more,
    }


@pytest.mark.parametrize("method", ["basic", "post"])
async def test_a_partner_with_a_secret(
    node_folder: Path, origin: str, person: Person, population: Population, method: str
) -> None:
    client = await population.client(grant_types=ALL, require_pushed_authorization_requests=True)
    done = await run(node_folder, told_of(origin, client, person, method=method), person)
    assert done["flows"] == ["code", "device"]
    assert done["subject"] != str(person.who.id)


@pytest.mark.parametrize("profile", SecurityProfile)
async def test_a_partner_with_a_key(
    node_folder: Path, origin: str, person: Person, population: Population, profile: SecurityProfile
) -> None:
    key = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"}, auto_kid=True)
    client = await population.client(
        authentication=Authentication.PRIVATE_KEY,
        grant_types=ALL,
        jwks={"keys": [key.as_dict(private=False)]},
        security_profile=profile,
    )
    trusted = profile is SecurityProfile.FAPI2
    told = told_of(origin, client, person, key=key.as_dict(private=True), bound=trusted, stays=trusted)
    assert (await run(node_folder, told, person))["flows"] == ["code", "device"]


@pytest.mark.parametrize("bound", [False, True])
async def test_a_public_app_of_the_platform(
    node_folder: Path, origin: str, person: Person, population: Population, *, bound: bool
) -> None:
    client = await population.client(
        authentication=Authentication.NONE, grant_types=ALL, scopes=["*"], first_party=True
    )
    done = await run(node_folder, told_of(origin, client, person, pushed=False, bound=bound), person)
    assert done == {"flows": ["code", "device"], "subject": str(person.who.id)}

"""Divisions, departments, staff, citizens, companies and clients of the demo, made over identity's API."""

import asyncio
import base64
import csv
import gzip
import io
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from lianban_local.authority.register import NaturalPerson, population
from lianban_local.demo.app import App, Refused, SignedIn
from lianban_local.deployables import ROOT
from lianban_local.runfile import Account, Client
from lianban_local.state import StateFolder

CAST: dict[str, Any] = json.loads(Path(__file__).with_name("cast.json").read_text(encoding="utf-8"))
PASSWORD = "bian-li-dian-2026"  # noqa: S105 - of people who do not exist, on loopback
OPERATOR_SCOPE = (
    "openid offline_access identity:divisions.import identity:departments.manage identity:staff.manage "
    "identity:staff.read identity:clients.manage"
)
_CITIZEN_SCOPE = "openid offline_access identity:me.read identity:me.verify identity:legal-persons.read identity:legal-persons.manage"
_V1 = "/identity/v1"
_DIVISIONS = ROOT / "data" / "divisions"
_DEPARTMENTS = ROOT / "data" / "catalogue" / "departments.json"
_SMS_SECONDS = 20.0


@dataclass
class Cast:
    """Who exists now, for the seeds that come after."""

    accounts: list[Account] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)
    departments: dict[str, UUID] = field(default_factory=dict)
    """By credit code."""
    holders: dict[str, UUID] = field(default_factory=dict)
    """Persons by identity number, legal persons by credit code."""


def administrator(state: StateFolder) -> Account:
    """The first operator, whom identity's own command makes."""
    told = CAST["administrator"]
    return Account(
        role="operator",
        username=told["username"],
        password=PASSWORD,
        totp_secret=totp_secret(state, told["username"]),
        department=told["organ"],
    )


def totp_secret(state: StateFolder, username: str) -> str:
    """The seed of somebody's second factor on this machine, the same at every start."""
    return base64.b32encode(base64.b64decode(state.key(f"totp-{username}"))).decode().rstrip("=")


async def seed(app: App, operator: SignedIn, state: StateFolder, known_clients: list[Client]) -> Cast:
    """Safe to run twice: what is there is left alone."""
    cast = Cast()
    await _import_divisions(operator)
    cast.departments = await _departments(operator)
    cast.accounts = [
        administrator(state),
        *[await _staff(operator, cast, state, one) for one in CAST["staff"]],
    ]
    people = {person.name: person for person in population().natural_persons}
    for one in CAST["citizens"]:
        cast.accounts.append(await _citizen(app, cast, state, one, people[one["name"]]))
    await _appoint_agents(app, cast, people)
    cast.clients = [
        *(one for one in app.run.clients if one.client_secret is None),
        *[await _client(operator, cast, one, known_clients) for one in CAST["clients"]],
    ]
    return cast


async def _import_divisions(operator: SignedIn) -> None:
    content = await asyncio.to_thread(_divisions_csv)
    await operator.call(
        "POST", f"{_V1}/divisions/imports", content=content, headers={"Content-Type": "text/csv"}
    )


def _divisions_csv() -> bytes:
    """All provinces to townships, and the villages of Hunan and Hubei, in one file."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["code", "name", "level", "parent_code"])
    with (_DIVISIONS / "divisions_to_county.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            writer.writerow([row["code"], row["name"], row["level"].upper(), row["parent_code"]])
    with (_DIVISIONS / "townships.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if not row["code"].endswith("000"):  # a county that is listed as a township of its own
                writer.writerow([row["code"], row["name"], "", ""])
    with gzip.open(_DIVISIONS / "villages_hubei_hunan.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            writer.writerow([row["code"], row["name"], "", ""])
    return out.getvalue().encode()


async def _departments(operator: SignedIn) -> dict[str, UUID]:
    found: dict[str, UUID] = {}
    path: str | None = f"{_V1}/departments?limit=100"
    while path:
        page = await operator.get(path)
        found |= {one["uscc"]: UUID(one["id"]) for one in page["items"]}
        path = page["next"]
    for one in [*CAST["organs"], *await asyncio.to_thread(_catalogue_departments)]:
        if one["uscc"] not in found:
            body = {
                "uscc": one["uscc"],
                "name": one["name"],
                "short_name": one.get("short_name", one["name"][:40]),
                "division": one["division"],
            }
            made = await operator.post(f"{_V1}/departments", body, key=f"department-{one['uscc']}")
            found[one["uscc"]] = UUID(made["id"])
    return found


def _catalogue_departments() -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(_DEPARTMENTS.read_text(encoding="utf-8"))["departments"]
    return [one for one in listed if one.get("uscc")]


def department_names() -> dict[str, str]:
    """Of the catalogue's departments, by credit code."""
    return {one["uscc"]: one["name"] for one in _catalogue_departments()}


async def _staff(operator: SignedIn, cast: Cast, state: StateFolder, one: dict[str, Any]) -> Account:
    account = Account(
        role=one["role"],
        username=one["username"],
        password=PASSWORD,
        totp_secret=totp_secret(state, one["username"]),
        department=one["organ"],
    )
    body = {
        "username": account.username,
        "name": one["name"],
        "department_id": str(cast.departments[one["organ"]]),
        "roles": [one["role"]],
        "password": account.password,
        "totp_secret": account.totp_secret,
    }
    await _unless_taken(operator.post(f"{_V1}/staff", body, key=f"staff-{account.username}"))
    return account


async def _citizen(
    app: App, cast: Cast, state: StateFolder, one: dict[str, Any], person: NaturalPerson
) -> Account:
    account = Account(role=one["role"], username=one["username"], password=PASSWORD)
    signed_in = app.sign_in(account, _CITIZEN_SCOPE)
    try:
        me = await signed_in.get(f"{_V1}/me")
    except Refused:  # no such account yet
        await _sign_up(app, state, account, person.phone)
        me = await signed_in.get(f"{_V1}/me")
    if me["trust_level"] < 2:
        claim = {"name": person.name, "id_number": person.id_number}
        await signed_in.post(f"{_V1}/me/real-name", claim)
        signed_in.forget()  # the level is in tokens from the next one on
    cast.holders[person.id_number] = UUID(me["person_id"])
    names = {company.uscc: company.name for company in population().legal_persons}
    for uscc in one.get("legal_persons", []):
        body = {"uscc": uscc, "name": names[uscc]}
        made = await signed_in.post(f"{_V1}/legal-persons", body, key=f"legal-person-{uscc}")
        cast.holders[uscc] = UUID(made["id"])
    return account


async def _sign_up(app: App, state: StateFolder, account: Account, phone: str) -> None:
    before = await asyncio.to_thread(_messages, state, phone)
    await app.anonymous("POST", f"{_V1}/phone-codes", {"phone": phone})
    give_up = asyncio.get_running_loop().time() + _SMS_SECONDS
    while len(messages := await asyncio.to_thread(_messages, state, phone)) == len(before):
        if asyncio.get_running_loop().time() > give_up:
            raise TimeoutError(f"no text message for {account.username}")
        await asyncio.sleep(0.1)
    code = re.search(r"\d{6}", messages[-1]["text"])
    assert code is not None, "a sign-up message holds a code"
    body = {"username": account.username, "password": account.password, "phone": phone, "code": code.group()}
    await app.anonymous("POST", f"{_V1}/persons", body)


def _messages(state: StateFolder, phone: str) -> list[dict[str, str]]:
    file = state.path / "sms.jsonl"
    if not file.exists():
        return []
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if phone in (line.get("phone"), line.get("to"))]


async def _appoint_agents(app: App, cast: Cast, people: dict[str, NaturalPerson]) -> None:
    """By the representative, who has an account in the cast as well."""
    owners = {uscc: one["username"] for one in CAST["citizens"] for uscc in one.get("legal_persons", [])}
    accounts = {account.username: account for account in cast.accounts}
    for one in CAST["citizens"]:
        if uscc := one.get("agent_of"):
            owner = app.sign_in(accounts[owners[uscc]], _CITIZEN_SCOPE)
            path = f"{_V1}/legal-persons/{cast.holders[uscc]}/agents"
            agent = people[one["name"]]
            if not (await owner.get(path))["items"]:
                await owner.post(
                    path, {"name": agent.name, "phone": agent.phone}, key=f"agent-{one['username']}"
                )


async def _client(operator: SignedIn, cast: Cast, one: dict[str, Any], known_clients: list[Client]) -> Client:
    """The secret is shown once: remembered from the first time, else a further one is made. A public client has none."""
    is_public = one.get("token_endpoint_auth_method") == "none"
    secret = next((old.client_secret for old in known_clients if old.client_id == one["client_id"]), None)
    if secret is None:
        body = {name: value for name, value in one.items() if name != "organ"}
        body["department_id"] = str(cast.departments[one["organ"]])
        made = await _unless_taken(operator.post(f"{_V1}/clients", body))
    if secret is None and not is_public:
        made = made or await operator.post(f"{_V1}/clients/{one['client_id']}/secrets")
        secret = made["client_secret"]
    return Client(
        client_id=one["client_id"],
        client_secret=secret,
        redirect_uris=one["redirect_uris"],
        grant_types=one["grant_types"],
        scope=" ".join(one["scopes"]),
    )


async def _unless_taken(call: Any) -> Any:
    """None when it exists already."""
    try:
        return await call
    except Refused as refusal:
        if refusal.answer.status_code != 409:
            raise
        return None

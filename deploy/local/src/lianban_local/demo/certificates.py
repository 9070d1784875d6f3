"""What the licence library holds at the start: its types, business licences of the companies, identity cards of the people.

Everything goes through the API with a service's token, and what is there already is left alone.
"""

import asyncio
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

import httpx

from lianban_local.authority.register import LegalPerson, NaturalPerson, population
from lianban_local.deployables import ROOT

BUSINESS_LICENCE = "11990000LB0000230M001"
IDENTITY_CARD = "11100000000013127D001"
MARKET_REGULATOR = "11990300LB00002305"
POLICE = "11990300LB00004174"

_TYPES_FILE = ROOT / "data" / "licence_types.json"
_V1 = "/certificates/v1"
# How long the library may take to hear of the departments from identity.
_DEPARTMENTS_SECONDS = 60.0


class Client(Protocol):
    """As ``service_common.http.ServiceClient``, with a token of role ``service`` for certificates."""

    async def call(
        self, method: str, path: str, *, json: Any = None, idempotency_key: str | None = None
    ) -> httpx.Response:
        """The answer, whatever it is."""


@dataclass(frozen=True)
class Api:
    """What the seed of identity has left for this one."""

    certificates: Client
    departments: Mapping[str, UUID]
    """By credit code."""
    holders: Mapping[str, UUID]
    """Persons by identity number, legal persons by credit code: those that have an account."""


class SeedRefused(Exception):
    """The library answered otherwise than a seed expects."""


async def seed(api: Api) -> int:
    """Safe to run twice. Returns how many licences were issued now."""
    types = json.loads(_TYPES_FILE.read_text(encoding="utf-8"))
    await _send(api.certificates, "/licence-types/imports", types)
    people, companies = population().natural_persons, population().legal_persons
    names = {person.id_number: person.name for person in people}
    orders = [
        _business_licence(api, one, names[one.representative_id_number])
        for one in companies
        if one.uscc in api.holders and one.status == "active"
    ]
    orders += [_identity_card(api, one) for one in people if one.id_number in api.holders]
    missing = [order for order in orders if not await _is_held(api.certificates, order)]
    if missing:
        await _send(api.certificates, "/licences/batches", {"licences": missing})
    return len(missing)


def _business_licence(api: Api, company: LegalPerson, representative: str) -> dict[str, Any]:
    is_company = company.kind == "limited_company"
    return {
        "type_code": BUSINESS_LICENCE,
        "holder": {"kind": "LEGAL_PERSON", "id": str(api.holders[company.uscc])},
        "issuer_department_id": str(api.departments[MARKET_REGULATOR]),
        "number": company.uscc,
        "surface": {
            "统一社会信用代码": company.uscc,
            "名称": company.name,
            "类型": "有限责任公司" if is_company else "个体工商户",
            "法定代表人": representative,
            "经营范围": company.scope,
            "住所": company.address,
        },
        "valid_from": "2024-03-05",
    }


def _identity_card(api: Api, person: NaturalPerson) -> dict[str, Any]:
    """Sex and birth as the number says (GB 11643)."""
    number = person.id_number
    born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    return {
        "type_code": IDENTITY_CARD,
        "holder": {"kind": "NATURAL_PERSON", "id": str(api.holders[number])},
        "issuer_department_id": str(api.departments[POLICE]),
        "number": number,
        "surface": {
            "姓名": person.name,
            "性别": "男" if int(number[16]) % 2 else "女",
            "出生": born.isoformat(),
            "公民身份号码": number,
        },
        "valid_from": "2022-09-08",
        "valid_until": "2042-09-08",
    }


async def _is_held(client: Client, order: dict[str, Any]) -> bool:
    path = f"{_V1}/holders/{order['holder']['id']}/licences?type_code={order['type_code']}"
    answer = await client.call("GET", path)
    if answer.status_code != 200:
        raise SeedRefused(f"{path}: {answer.status_code} {answer.text}")
    return bool(answer.json()["items"])


async def _send(client: Client, path: str, body: Any) -> None:
    """With a key of its content; waits for departments that are still on their way by event."""
    key = hashlib.sha256(json.dumps([path, body], sort_keys=True).encode()).hexdigest()
    give_up = asyncio.get_running_loop().time() + _DEPARTMENTS_SECONDS
    while True:
        answer = await client.call("POST", f"{_V1}{path}", json=body, idempotency_key=key)
        if answer.status_code in (200, 201):
            return
        on_its_way = answer.status_code == 409 and answer.json()["code"] == "issuer_not_known"
        if not on_its_way or asyncio.get_running_loop().time() > give_up:
            raise SeedRefused(f"{path}: {answer.status_code} {answer.text}")
        await asyncio.sleep(0.2)

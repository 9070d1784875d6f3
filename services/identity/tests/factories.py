"""Builders: persons, staff, clients, and tokens of any caller."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pyotp

from identity_service.accounts import handlers as accounts
from identity_service.accounts import passwords
from identity_service.accounts.domain import SubjectKind
from identity_service.clients.authority import Authority
from identity_service.db import Transactions
from identity_service.delegations import handlers as delegations
from identity_service.delegations.domain import Terms, text_hash
from identity_service.legal_persons.handlers import register_legal_person
from identity_service.legal_persons.models import LegalPerson
from identity_service.organisation.domain import Role
from identity_service.organisation.handlers import departments, staff
from identity_service.organisation.models import Department, Staff
from identity_service.people.domain import DocumentClaim
from identity_service.people.handlers import sealing
from identity_service.people.handlers.real_name import RealNameClaim, verify_real_name
from identity_service.people.models import Person
from identity_service.relying_parties.domain import Authentication, GrantType
from identity_service.relying_parties.handlers import (
    ClientMetadata,
    get_client,
    register_client,
    set_client_active,
)
from identity_service.signing.handlers import SigningKeys
from lianban_local.authority.register import population
from service_common.auth import SCOPES, Caller
from service_common.contracts.identity import AgentKind
from service_common.crypto import KeyRing
from service_common.db import new_id
from service_common.delegation import Act

PASSWORD = "seven solar terms"
MARKET_USCC = "11990000LB0000230M"
HEALTH_USCC = "11990000LB0000177R"
XIANGTAN = "430300000000"
CALLBACK = "https://partner.example/callback"
LOOPBACK = "http://127.0.0.1/callback"

_hashes: dict[tuple[object, str], str] = {}


async def _hash(password: str) -> str:
    """Hashed once per run and cost: argon2 is slow on purpose."""
    key = (passwords._hasher, password)
    if key not in _hashes:
        _hashes[key] = await passwords.hash_password(password)
    return _hashes[key]


@dataclass(frozen=True)
class Citizen:
    """A person of the demo register with an account."""

    id: UUID
    username: str
    name: str
    id_number: str
    phone: str

    @property
    def caller(self) -> Caller:
        return Caller(str(self.id), "person", "app", frozenset(), trust_level=2)


@dataclass(frozen=True)
class Officer:
    """A staff member."""

    id: UUID
    username: str
    totp_secret: str
    department_id: UUID
    roles: tuple[Role, ...]

    @property
    def caller(self) -> Caller:
        return Caller(
            str(self.id),
            "staff",
            "app",
            frozenset(),
            department_id=self.department_id,
            division=XIANGTAN,
            roles=frozenset(self.roles),
        )


@dataclass(frozen=True)
class RegisteredClient:
    """A client with its secret in clear."""

    client_id: str
    secret: str | None


class Population:
    """Makes people the way the product does, but for the text message."""

    def __init__(
        self, transactions: Transactions, ring: KeyRing, authority: Authority, now: Callable[[], datetime]
    ) -> None:
        self._transactions = transactions
        self._ring = ring
        self._authority = authority
        self._now = now

    async def person(self, index: int = 0, *, verified: bool = True, username: str | None = None) -> Citizen:
        """The nth person of the register."""
        entry = population().natural_persons[index]
        person = Person(
            id=new_id(),
            phone=sealing.seal_phone(self._ring, entry.phone),
            phone_index=sealing.phone_index(self._ring, entry.phone),
            trust_level=1,
        )
        citizen = Citizen(person.id, username or f"citizen{index}", entry.name, entry.id_number, entry.phone)
        account = accounts.NewAccount(person.id, SubjectKind.PERSON, citizen.username, await _hash(PASSWORD))
        async with self._transactions() as session:
            session.add(person)
            await accounts.open_account(session, self._ring, account, now=self._now())
        if verified:
            await self.verify(citizen)
        return citizen

    async def verify(self, citizen: Citizen) -> None:
        """Real-name verification against the register."""
        await verify_real_name(
            self._transactions,
            self._ring,
            self._authority,
            RealNameClaim(citizen.id, citizen.name, DocumentClaim(citizen.id_number)),
            allow_fixtures=True,
            now=self._now(),
        )

    async def company(self, index: int = 0) -> tuple[Citizen, LegalPerson]:
        """The nth legal person of the register, registered by its representative."""
        entry = population().legal_persons[index]
        numbers = [person.id_number for person in population().natural_persons]
        citizen = await self.person(numbers.index(entry.representative_id_number))
        legal_person = await register_legal_person(
            self._transactions,
            self._ring,
            self._authority,
            citizen.caller,
            uscc=entry.uscc,
            name=entry.name,
            level=2,
            now=self._now(),
        )
        return citizen, legal_person

    async def department(self, uscc: str = MARKET_USCC) -> Department:
        """A department of Xiangtan; the same one when it is there."""
        async with self._transactions() as session:
            found = await departments.list_departments(session, uscc=uscc, division=None, after=None, limit=1)
            if found:
                return found[0]
            facts = departments.DepartmentFacts(uscc, "", f"示例部门{uscc[-3:]}", "示例", XIANGTAN, None)
            return await departments.add_department(session, facts, now=self._now())

    async def staff(self, *roles: Role, uscc: str = MARKET_USCC) -> Officer:
        """A staff member of a department."""
        department = await self.department(uscc)
        secret = pyotp.random_base32()
        username = f"{roles[0]}.{new_id().hex[-6:]}".replace("_", "-")
        new = staff.NewStaff(username, await _hash(PASSWORD), secret, "示例人员", department.id, roles)
        async with self._transactions() as session:
            row = await staff.add_staff(session, self._ring, new, now=self._now())
        return Officer(row.id, username, secret, department.id, roles)

    async def dismiss(self, officer: Officer) -> None:
        """Ends somebody's office."""
        async with self._transactions() as session:
            row = await session.get_one(Staff, officer.id)
            await staff.reassign_staff(
                session,
                officer.id,
                department_id=officer.department_id,
                roles=officer.roles,
                is_active=False,
                expected_version=row.version,
                now=self._now(),
            )

    async def client(
        self,
        *,
        authentication: Authentication = Authentication.SECRET,
        grant_types: Sequence[GrantType] = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN),
        scopes: Sequence[str] = ("openid", "profile", "phone", "offline_access", "identity:me.read"),
        redirect_uris: Sequence[str] = (CALLBACK,),
        jwks: dict[str, Any] | None = None,
        first_party: bool = False,
        uscc: str = HEALTH_USCC,
        name: str = "示例应用",
        **more: Any,
    ) -> RegisteredClient:
        """A client of a department. ``more`` is further metadata."""
        operator = await self.staff(Role.OPERATOR)
        department = await self.department(uscc)
        metadata = ClientMetadata(
            name=name,
            authentication=authentication,
            redirect_uris=redirect_uris,
            post_logout_redirect_uris=["https://partner.example/bye"],
            grant_types=grant_types,
            scopes=scopes,
            jwks=jwks,
            department_id=None if first_party else department.id,
            is_first_party=first_party,
            **more,
        )
        async with self._transactions() as session:
            client, secret = await register_client(
                session, self._ring, operator.caller, metadata, known_scopes=frozenset(scopes)
            )
        return RegisteredClient(client.client_id, secret)

    async def stop_client(self, client: RegisteredClient) -> None:
        """Takes a client out of service."""
        operator = await self.staff(Role.OPERATOR)
        async with self._transactions() as session:
            row = await get_client(session, operator.caller, client.client_id)
            await set_client_active(
                session, operator.caller, client.client_id, active=False, expected_version=row.version
            )

    async def delegation(
        self, principal: Citizen, agent: Citizen | Officer, *, accepted: bool = True, **terms: Any
    ) -> UUID:
        """A delegation that both have agreed to; unless said otherwise all acts on all matters of acceptance."""
        usual = {
            "acts": frozenset(Act),
            "matters": frozenset({"acceptance:*"}),
            "valid_until": self._now() + timedelta(days=30),
        }
        company = terms.pop("legal_person_id", None)
        sought = (
            delegations.AgentSought(AgentKind.HELPER, username=agent.username)
            if isinstance(agent, Officer)
            else delegations.AgentSought(AgentKind.PERSON, name=agent.name, phone=agent.phone)
        )
        offer = delegations.Offer(sought, Terms(**{**usual, **terms}), company)
        facts: dict[str, Any] = {"level": 1, "now": self._now()}
        by = replace(principal.caller, authenticated_at=int(self._now().timestamp()))
        async with self._transactions() as session:
            draft = await delegations.draft_text(session, self._ring, by, offer, **facts)
            agreed = text_hash(draft.text)
            row = await delegations.grant_delegation(
                session, self._ring, by, offer, agreed_hash=agreed, **facts
            )
            if accepted:
                caller = replace(agent.caller, trust_level=3)
                await delegations.accept_delegation(session, caller, row.id, agreed_hash=agreed, **facts)
        return row.id

    async def app(self, name: str = "联办") -> RegisteredClient:
        """The platform's own app: public, on loopback, with every scope its user may have."""
        return await self.client(
            grant_types=[
                GrantType.AUTHORIZATION_CODE,
                GrantType.REFRESH_TOKEN,
                GrantType.TOKEN_EXCHANGE,
            ],
            authentication=Authentication.NONE,
            redirect_uris=[LOOPBACK],
            scopes=["*"],
            first_party=True,
            name=name,
        )


class Tokens:
    """Headers of any caller, with every scope of identity unless said otherwise."""

    def __init__(self, keys: SigningKeys, issuer: str) -> None:
        self._keys = keys
        self._issuer = issuer

    def person(self, citizen: Citizen, **claims: Any) -> dict[str, str]:
        of_person = {"sub": str(citizen.id), "subject_type": "person", "acr": "urn:lianban:loa:2"}
        return self.headers(**{**of_person, **claims})

    def staff(self, officer: Officer, **claims: Any) -> dict[str, str]:
        return self.headers(
            sub=str(officer.id),
            subject_type="staff",
            department_id=str(officer.department_id),
            division=XIANGTAN,
            roles=list(officer.roles),
            **claims,
        )

    def service(self, client_id: str = "acceptance", **claims: Any) -> dict[str, str]:
        return self.headers(sub=client_id, subject_type="client", client_id=client_id, **claims)

    def headers(self, **claims: Any) -> dict[str, str]:
        now = datetime.now().astimezone()
        payload = {
            "iss": self._issuer,
            "aud": ["urn:lianban:identity"],
            "client_id": "app",
            "scope": " ".join(one.name for one in SCOPES.values() if one.service == "identity"),
            "iat": int(now.timestamp()),
            "exp": int(now.timestamp()) + 300,
            "auth_time": int(now.timestamp()),
            **claims,
        }
        signed = self._keys.sign(payload, kind="at+jwt", now=now)
        return {"Authorization": f"Bearer {signed}", "Idempotency-Key": str(new_id())}


def sent_texts(file: Path) -> list[dict[str, str]]:
    """The text messages of the development outbox."""
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

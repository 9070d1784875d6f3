"""A message, a log-in, a company, a delegation of the owner; the own department with somebody in it and a client."""

from datetime import timedelta
from typing import Any

from tests.guards.authorization.cast import CITY, HOTLINE_CENTRE, OWN, OWNER, SESSION, STRANGER
from tests.guards.authorization.rooms import Objects, Room

from gov_rules.identifiers import OrganisationKind
from identity_service.accounts.domain import SubjectKind
from identity_service.accounts.models import Account
from identity_service.delegations.models import Delegation
from identity_service.inbox.domain import Template
from identity_service.inbox.models import InboxMessage
from identity_service.legal_persons.models import Agent, LegalPerson
from identity_service.organisation.models import Department, Staff
from identity_service.passkeys.models import Passkey
from identity_service.people.models import Person
from identity_service.relying_parties.domain import Authentication
from identity_service.relying_parties.models import Client
from identity_service.sessions.models import Grant, LoginSession
from service_common.clock import utc_now
from service_common.contracts.acceptance import HolderKind
from service_common.contracts.identity import AgentKind
from service_common.db import new_id

_OWN_USCC = "11990000LB0000417L"


async def furnish(room: Room) -> Objects:
    """Makes them; those who may make them do so where that is quick."""
    now = utc_now()
    ring = room.app.state.key_ring
    far_future = now + timedelta(days=30)
    company = LegalPerson(
        id=new_id(), uscc="91990101MA0000A19H", name="试验田便利店有限公司", kind=next(iter(OrganisationKind)),
        representative_id=OWNER, confirmed_at=now,
    )  # fmt: skip
    rows: list[Any] = [
        Person(id=OWNER, trust_level=4), Person(id=STRANGER, trust_level=4),
        appointed := Person(id=new_id(), trust_level=4),
        Account(
            id=OWNER, kind=SubjectKind.PERSON, username="owner", password_hash="-", password_changed_at=now
        ),
        Department(id=OWN, uscc=_OWN_USCC, name="示例市公安局", short_name="示例", division=CITY),
        Department(id=HOTLINE_CENTRE, uscc="11990000LB0000230M", name="示例中心", short_name="中心", division=CITY),
        company,
        agent := Agent(
            id=new_id(), legal_person_id=company.id, person_id=appointed.id, appointed_by=OWNER, appointed_at=now,
            revoked_at=now, revoked_by=OWNER,
        ),
        message := InboxMessage(
            id=new_id(), person_id=OWNER, event_id=new_id(), template=Template.APPLICATION_SUBMITTED,
            facts={"number": "YJS1", "count": 1}, about_kind="APPLICATION", about_id=new_id(), created_at=now,
        ),
        login := LoginSession(
            id=SESSION, account_id=OWNER, kind=SubjectKind.PERSON, secret_hash=b"s" * 32, methods=["pwd"],
            authenticated_at=now, last_seen_at=now,
        ),
        Grant(
            id=SESSION, login_session_id=login.id, subject_id=OWNER, kind=SubjectKind.PERSON, client_id="app",
            scope="openid", is_offline=False, methods=["pwd"], authenticated_at=now,
        ),
        passkey := Passkey(
            id=new_id(), account_id=OWNER, credential_id=b"c", public_key=b"k", sign_count=0, name="手机",
            is_backed_up=False, created_at=now,
        ),
        delegation := Delegation(
            id=new_id(), principal_kind=HolderKind.NATURAL_PERSON, principal_id=OWNER, granted_by=OWNER,
            agent_kind=AgentKind.PERSON, agent_id=new_id(), acts=["VIEW"], matters=["acceptance:*"],
            valid_until=far_future, text=ring.encrypt("委托书", column="delegations.text"), text_hash=b"h" * 32,
        ),
        officer := Staff(
            id=new_id(), name=ring.encrypt("示例人员", column="staff.name"), department_id=OWN, roles=["clerk"]
        ),
        Account(
            id=officer.id, kind=SubjectKind.STAFF, username="clerk", password_hash="-", password_changed_at=now
        ),
        client := Client(
            id=new_id(), client_id="own-system", name="示例系统", authentication=Authentication.SECRET, jwks=None,
            redirect_uris=[], post_logout_redirect_uris=[], grant_types=["client_credentials"], scopes=[],
            department_id=HOTLINE_CENTRE, registered_by=officer.id,
        ),
    ]  # fmt: skip
    async with room.app.state.database.sessions() as session, session.begin():
        for row in rows:
            session.add(row)
            await session.flush()
    clients = "/identity/v1/clients/{client_id}"
    return Objects(
        {
            "message_id": str(message.id), "session_id": str(login.id), "passkey_id": str(passkey.id),
            "delegation_id": str(delegation.id), "legal_person_id": str(company.id), "agent_id": str(agent.id),
            "department_id": str(OWN), "staff_id": str(officer.id), "client_id": client.client_id,
        },
        bodies={
            "POST /identity/v1/legal-persons/{legal_person_id}/agents": {"name": "李谷雨", "phone": "19900000002"},
            "POST /identity/v1/delegations/{delegation_id}/accept": {"agreed_sha256": (b"h" * 32).hex()},
            "PUT /identity/v1/departments/{department_id}": {
                "uscc": _OWN_USCC, "name": "示例市公安局", "short_name": "示例", "division": CITY, "is_active": True,
            },
            "PUT /identity/v1/staff/{staff_id}": {
                "department_id": str(OWN), "roles": ["clerk"], "is_active": True,
            },
            f"PUT {clients}": {"client_name": "示例系统", "redirect_uris": []},
            f"POST {clients}/scope-requests": {"scopes": []},
            f"PUT {clients}/scopes": {"scopes": []},
            f"PUT {clients}/activity": {"is_active": False},
            f"POST {clients}/keys": {"key": {"kty": "EC", "kid": "k"}},
        },
    )  # fmt: skip

"""The kinds of caller of the matrix, each with every scope that identity may ever grant to its roles."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from joserfc import jwt
from joserfc.jwk import ECKey

from service_common.auth import SCOPES
from service_common.delegation import ALL_MATTERS, Act, Delegation

ISSUER = "http://localhost/identity"

CITY = "430300000000"
OTHER_CITY = "430200000000"
OWN = UUID("01930000-0000-7000-8000-000000000a01")
OTHER = UUID("01930000-0000-7000-8000-000000000a02")
FAR = UUID("01930000-0000-7000-8000-000000000a03")
HOTLINE_CENTRE = UUID("01930000-0000-7000-8000-000000000a04")
COMPANY = UUID("01930000-0000-7000-8000-000000000c01")
OWNER = UUID("01930000-0000-7000-8000-000000000b01")
STRANGER = UUID("01930000-0000-7000-8000-000000000b02")
AGENT = UUID("01930000-0000-7000-8000-000000000b03")
DELEGATION = UUID("01930000-0000-7000-8000-000000000f01")
MATTERS_OF = ("acceptance", "certificates")
SESSION = UUID("01930000-0000-7000-8000-000000000e01")
"""Of the owner: the one caller whose log-in identity knows."""
PARTNER = "own-approval-system"


def _person(person_id: UUID, *represents: UUID) -> dict[str, Any]:
    return {
        "sub": str(person_id),
        "subject_type": "person",
        "roles": ["citizen", *(["company_agent"] if represents else [])],
        "represents": [str(one) for one in represents],
    }


def _staff(number: int, role: str, department: UUID, division: str = CITY) -> dict[str, Any]:
    return {
        "sub": f"01930000-0000-7000-8000-000000000d{number:02d}",
        "subject_type": "staff",
        "roles": [role],
        "department_id": str(department),
        "division": division,
    }


def _client(client_id: str, role: str, **of: Any) -> dict[str, Any]:
    return {"sub": client_id, "client_id": client_id, "subject_type": "client", "roles": [role], **of}


def _for(principal: dict[str, Any], agent_id: UUID) -> dict[str, Any]:
    """An agent who was allowed everything that can be allowed, about everything (token exchange, RFC 8693)."""
    acts, matters = frozenset(Act), frozenset(f"{one}:{ALL_MATTERS}" for one in MATTERS_OF)
    return {**principal, **Delegation(DELEGATION, "person", str(agent_id), acts, matters).claims()}


_OF_OWN_DEPARTMENT = {"department_id": str(OWN), "division": CITY}

# In the order of the tables' columns. Objects belong to OWNER, or to the department OWN in CITY.
CALLERS: Mapping[str, dict[str, Any] | None] = {
    "anonymous": None,
    "owner": {**_person(OWNER), "sid": str(SESSION)},
    "agent by delegation": _for(_person(OWNER), STRANGER),
    "other citizen": _person(STRANGER),
    "company agent": _person(AGENT, COMPANY),
    "clerk": _staff(1, "clerk", OWN),
    "far clerk": _staff(2, "clerk", FAR, OTHER_CITY),
    "approver": _staff(3, "approver", OWN),
    "other approver": _staff(4, "approver", OTHER),
    "bare partner": {**_client(PARTNER, "partner", **_OF_OWN_DEPARTMENT), "scope": ""},
    "partner": _client(PARTNER, "partner", **_OF_OWN_DEPARTMENT),
    "supervisor": _staff(5, "supervisor", HOTLINE_CENTRE),
    "operator": _staff(6, "operator", HOTLINE_CENTRE),
    "hotline agent": _staff(7, "hotline_agent", HOTLINE_CENTRE),
    "service": _client("acceptance", "service"),
}


@dataclass(frozen=True)
class Credentials:
    """Signs the callers' tokens for one service, with a real key that the service's verifier fetches."""

    key: ECKey
    service: str

    def of(self, caller: str) -> dict[str, str]:
        """The ``Authorization`` header of a kind of caller; none for somebody anonymous."""
        claims = CALLERS[caller]
        if claims is None:
            return {}
        now = int(time.time())
        payload = {
            "iss": ISSUER,
            "aud": [f"urn:lianban:{self.service}"],
            "client_id": "app",
            "scope": " ".join(grantable(claims["roles"])),
            "acr": "urn:lianban:loa:4",
            "auth_time": now,
            "iat": now,
            "exp": now + 300,
            **claims,
        }
        signed = jwt.encode({"alg": "ES256", "kid": self.key.kid, "typ": "at+jwt"}, payload, self.key)
        return {"Authorization": f"Bearer {signed}"}


def grantable(roles: list[str]) -> list[str]:
    """Every scope of the loaded services that may be granted to one of these roles; to people those of OpenID Connect too."""
    held = frozenset(roles)
    own = [name for name, one in SCOPES.items() if one.roles & held]
    return own if held & {"partner", "service"} else [*own, "openid", "profile", "phone"]

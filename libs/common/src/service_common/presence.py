"""Proof that somebody stood at a counter: identity signs it when a clerk met them, and the clerk's next step uses it up. Pure.

It says who was there, for which legal person if any, how the clerk knew, and at whose counter. It is no access token: its type
differs, it lives for minutes, and it is worth nothing at another department's counter. Whoever takes it remembers its id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from service_common.errors import Invalid

TOKEN_TYPE = "presence+jwt"  # noqa: S105 - a media type
# From being met to the draft: the clerk asks what it is about and finds it in the catalogue.
PRESENCE_LIFE = timedelta(minutes=10)

_LEVEL = "urn:lianban:loa:"


class PresenceMethod(StrEnum):
    """How the clerk knew who it was."""

    IDENTITY_CODE = "IDENTITY_CODE"  # shown by the person, used up by the clerk
    COUNTER_CHECK = (
        "COUNTER_CHECK"  # person and document compared by the clerk, name and number by the register
    )


class PresenceNotValid(Invalid):
    """One answer for a forged, foreign or expired proof, and for one that was used."""

    code = "presence_not_valid"
    zh = "到场核验凭证无效、已使用或已过期，请申请人重新出示身份码或重新核验证件。"
    en = "The proof of presence is not valid, was used, or has expired: have the applicant show a code again."


@dataclass(frozen=True, slots=True)
class Presence:
    """Somebody at a counter. ``legal_person_id``: whose enterprise code it was, or whom the register knows them to act for."""

    id: UUID
    person_id: UUID
    legal_person_id: UUID | None
    trust_level: int
    method: PresenceMethod
    staff_id: UUID
    department_id: UUID
    division: str
    expires_at: datetime

    @property
    def holder_id(self) -> UUID:
        """In whose matter they came."""
        return self.legal_person_id or self.person_id

    def claims(self) -> dict[str, Any]:
        """What is signed, beside issuer and audience."""
        told: dict[str, Any] = {
            "jti": str(self.id),
            "sub": str(self.person_id),
            "exp": int(self.expires_at.timestamp()),
            "acr": f"{_LEVEL}{self.trust_level}",
            "method": str(self.method),
            "counter": {
                "staff_id": str(self.staff_id),
                "department_id": str(self.department_id),
                "division": self.division,
            },
        }
        if self.legal_person_id is not None:
            told["legal_person_id"] = str(self.legal_person_id)
        return told


def presence_of(claims: Mapping[str, Any]) -> Presence:
    """Reads what ``Presence.claims`` wrote. Raises: KeyError, TypeError, ValueError for claims that are not of this form."""
    counter, legal_person_id = claims["counter"], claims.get("legal_person_id")
    return Presence(
        id=UUID(claims["jti"]),
        person_id=UUID(claims["sub"]),
        legal_person_id=UUID(legal_person_id) if legal_person_id is not None else None,
        trust_level=int(str(claims["acr"]).removeprefix(_LEVEL)),
        method=PresenceMethod(claims["method"]),
        staff_id=UUID(counter["staff_id"]),
        department_id=UUID(counter["department_id"]),
        division=str(counter["division"]),
        expires_at=datetime.fromtimestamp(int(claims["exp"]), UTC),
    )

"""Acting for somebody: what an access token got by token exchange (RFC 8693) says of it. Pure.

Such a token's ``sub`` is the principal, for whom something is done; ``act.sub`` is the agent, who does it. Its ``delegation``
claim says what the agent may do and about what. The principal is responsible, the agent is named: both stand on everything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from service_common.errors import Forbidden

ALL_MATTERS = "*"


class Act(StrEnum):
    """What an agent may be allowed to do. The words are those of the authorization that the principal agrees to."""

    VIEW = "VIEW"
    SUBMIT = "SUBMIT"  # fill in, hand in, correct, take back
    SIGN = "SIGN"  # sign promises and undertakings in the principal's name
    COLLECT = "COLLECT"  # take what was issued: signed licences, and showing them


class NotDelegable(Forbidden):
    """Nobody can do this for somebody else, or the principal did not allow this kind of act."""

    code = "not_delegated"
    zh = "您的代办授权不包括此操作，须由本人办理。"
    en = "Your authorization does not cover this act: the principal has to do it."


class OutsideDelegation(Forbidden):
    """The principal allowed it for other matters."""

    code = "outside_delegation"
    zh = "您的代办授权不包括该事项。"
    en = "Your authorization does not cover this matter."


@dataclass(frozen=True, slots=True)
class Delegation:
    """One authorization in use. ``matters`` are ``<service>:<code>`` or ``<service>:*``."""

    id: UUID
    agent_kind: str
    agent_id: str
    acts: frozenset[str]
    matters: frozenset[str]

    def allows(self, act: Act) -> bool:
        return act in self.acts

    def covers(self, service: str, code: str) -> bool:
        """Whether it is about this item, bundle or licence type of a service."""
        return not self.matters.isdisjoint({f"{service}:{code}", f"{service}:{ALL_MATTERS}"})

    def claims(self) -> dict[str, Any]:
        """The part of an access token that says so."""
        return {
            "act": {"sub": self.agent_id, "subject_type": self.agent_kind},
            "delegation": {"id": str(self.id), "acts": sorted(self.acts), "matters": sorted(self.matters)},
        }


def delegation_of(claims: Mapping[str, Any]) -> Delegation | None:
    """Reads what ``Delegation.claims`` wrote; none for a token with which somebody acts for themselves.

    Either claim alone makes it a delegated token: one that says half must not pass for the principal's own.
    Raises: KeyError, TypeError, ValueError for claims that are not of this form.
    """
    if "act" not in claims and "delegation" not in claims:
        return None
    actor, facts = claims["act"], claims["delegation"]
    return Delegation(
        UUID(facts["id"]),
        str(actor["subject_type"]),
        str(actor["sub"]),
        frozenset(facts["acts"]),
        frozenset(facts["matters"]),
    )

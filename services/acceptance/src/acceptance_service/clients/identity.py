"""Identity, asked for verified attributes with a purpose."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from service_common.contracts.acceptance import HolderKind
from service_common.http import PeerUnavailable, ServiceClient

NAME_AND_NUMBER = {
    HolderKind.NATURAL_PERSON: frozenset({"name", "id_number"}),
    HolderKind.LEGAL_PERSON: frozenset({"name", "uscc"}),
}


@dataclass(frozen=True, slots=True)
class Profile:
    """Verified attributes by identity's names; what is not verified is absent."""

    attributes: dict[str, str]

    @property
    def name(self) -> str | None:
        """Of the natural or legal person."""
        return self.attributes.get("name")

    @property
    def number(self) -> str | None:
        """Identity number or USCC."""
        return self.attributes.get("id_number") or self.attributes.get("uscc")


class IdentityClient:
    """Calls identity as acceptance itself; identity writes an access record that the person can read."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def look_up(
        self,
        kind: HolderKind,
        holder_id: UUID,
        *,
        attributes: Collection[str],
        purpose: str,
        application_id: UUID,
        department_id: UUID | None = None,
    ) -> Profile:
        """The attributes asked for, for a department if it is one that will see them. Raises: PeerUnavailable, also when identity refuses.

        A retry is a second look, and logged as one: that is the truth about it.
        """
        subject = "person_id" if kind is HolderKind.NATURAL_PERSON else "legal_person_id"
        answer = await self._client.call(
            "POST",
            "/identity/v1/profiles/lookup",
            json={
                subject: str(holder_id),
                "attributes": sorted(attributes),
                "purpose": purpose,
                "case_or_application_id": str(application_id),
                **({"department_id": str(department_id)} if department_id else {}),
            },
        )
        if answer.status_code == 404:
            return Profile({})
        if answer.status_code != 200:
            raise PeerUnavailable
        found = answer.json()["attributes"]
        return Profile({key: str(value) for key, value in found.items() if value})

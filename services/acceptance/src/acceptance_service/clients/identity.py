"""Identity, asked for verified profiles with a purpose."""

from dataclasses import dataclass
from uuid import UUID

from service_common.contracts.acceptance import HolderKind
from service_common.http import PeerUnavailable, ServiceClient


@dataclass(frozen=True, slots=True)
class Profile:
    """Verified values of a person; ``fields`` by the names that the catalogue's prefill uses (``person.name``)."""

    fields: dict[str, str]

    @property
    def name(self) -> str | None:
        """Of the natural or legal person."""
        return self.fields.get("person.name") or self.fields.get("legal_person.name")

    @property
    def number(self) -> str | None:
        """Identity number or USCC."""
        return self.fields.get("person.id_number") or self.fields.get("legal_person.uscc")


class IdentityClient:
    """Calls identity as acceptance itself; identity writes an access record that the person can read."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def look_up(
        self, kind: HolderKind, holder_id: UUID, *, purpose: str, application_id: UUID
    ) -> Profile:
        """The profile, for a purpose. Raises: PeerUnavailable, also when identity refuses."""
        answer = await self._client.call(
            "POST",
            "/identity/v1/profiles/lookup",
            json={
                "holder_kind": kind.value,
                "holder_id": str(holder_id),
                "purpose": purpose,
                "application_id": str(application_id),
            },
            idempotency_key=f"profile:{application_id}:{holder_id}:{purpose}",
        )
        if answer.status_code == 404:
            return Profile({})
        if answer.status_code != 200:
            raise PeerUnavailable
        prefix = "person" if kind is HolderKind.NATURAL_PERSON else "legal_person"
        return Profile({f"{prefix}.{key}": str(value) for key, value in answer.json().items() if value})

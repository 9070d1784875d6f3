"""The licence library: what a holder has, its surface data, and issuing the result of a case."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from service_common.contracts.acceptance import HolderKind
from service_common.http import PeerUnavailable, ServiceClient

# A name corrected at identity between two tries changes the order: the licence of the first one stands.
_ISSUED_ALREADY = frozenset({"case_has_licence", "idempotency_key_reused"})


class LicenceRefused(Exception):
    """Certificates will not issue it: a fault of data that no retry mends. The event becomes a dead letter."""


@dataclass(frozen=True, slots=True)
class SurfaceField:
    """A field of a licence type: its key, and where a decision takes the value from."""

    key: str
    source: str | None


@dataclass(frozen=True, slots=True)
class LicenceOrder:
    """What is to be issued for a case."""

    type_code: str
    holder_kind: HolderKind
    holder_id: UUID
    case_id: UUID
    project_no: str
    issuer_department_id: UUID
    surface: dict[str, str]
    valid_from: date
    valid_until: date | None


class CertificatesClient:
    """Calls certificates as acceptance itself."""

    def __init__(self, client: ServiceClient) -> None:
        self._client = client

    async def held(self, holder_id: UUID, type_codes: Collection[str]) -> list[dict[str, Any]]:
        """Licences of a holder of any of these types, as the library lists them. Raises: PeerUnavailable."""
        query = urlencode([("type_code", one) for one in sorted(type_codes)] + [("limit", "100")])
        answer = await self._client.call("GET", f"/certificates/v1/holders/{holder_id}/licences?{query}")
        if answer.status_code == 404:
            return []
        if answer.status_code != 200:
            raise PeerUnavailable
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    async def fetch_surface(
        self, licence_id: UUID, *, fields: Collection[str], purpose: str, application_id: UUID
    ) -> dict[str, Any]:
        """These fields of a licence and no others; the holder sees the use. Raises: PeerUnavailable, also when refused."""
        answer = await self._client.call(
            "POST",
            f"/certificates/v1/licences/{licence_id}/fetch",
            json={
                "purpose_code": purpose,
                "case_or_application_id": str(application_id),
                "fields": sorted(fields),
            },
            idempotency_key=_fetch_key(licence_id, application_id, fields),
        )
        if answer.status_code != 200:
            raise PeerUnavailable
        surface: dict[str, Any] = answer.json()["surface"]
        return surface

    async def surface_fields(self, type_code: str) -> list[SurfaceField]:
        """The fields of a licence type. Raises: PeerUnavailable, LicenceRefused."""
        answer = await self._client.call("GET", f"/certificates/v1/licence-types/{type_code}")
        if answer.status_code == 404:
            raise LicenceRefused(f"licence type {type_code} is unknown")
        if answer.status_code != 200:
            raise PeerUnavailable
        return [SurfaceField(one["key"], one["source"]) for one in answer.json()["surface_fields"]]

    async def issue(self, order: LicenceOrder) -> UUID | None:
        """Issues once per case, however often it is asked; None when the case has its licence from another asking.

        Raises: PeerUnavailable, LicenceRefused.
        """
        answer = await self._client.call(
            "POST",
            "/certificates/v1/licences",
            json={
                "type_code": order.type_code,
                "holder": {"kind": order.holder_kind.value, "id": str(order.holder_id)},
                "case_id": str(order.case_id),
                "project_no": order.project_no,
                "issuer_department_id": str(order.issuer_department_id),
                "surface": order.surface,
                "valid_from": order.valid_from.isoformat(),
                "valid_until": order.valid_until.isoformat() if order.valid_until else None,
            },
            idempotency_key=str(order.case_id),
        )
        if answer.status_code in (200, 201):
            return UUID(answer.json()["id"])
        code = answer.json().get("code")
        if code in _ISSUED_ALREADY:
            return None
        if answer.status_code in (
            401,
            409,
            429,
        ):  # keys not known yet, the same request still running, too fast
            raise PeerUnavailable
        raise LicenceRefused(f"{answer.status_code} {code}")


def _fetch_key(licence_id: UUID, application_id: UUID, fields: Collection[str]) -> str:
    """The same wish is the same fetch. Hashed, for a header holds no Chinese."""
    wish = "\x00".join([str(licence_id), str(application_id), *sorted(fields)])
    return f"fetch:{hashlib.sha256(wish.encode()).hexdigest()}"

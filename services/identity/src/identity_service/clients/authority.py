"""The register that knows who exists: population and legal persons, asked over HTTP. It answers yes, no or unknown."""

import base64
from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import httpx
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from service_common.errors import Unavailable

_TIMEOUT = httpx.Timeout(5.0, connect=2.0)


class AuthorityUnavailable(Unavailable):
    """The register does not answer, or not in its own words."""

    code = "authority_unavailable"
    zh = "实名核验服务暂时不可用，请稍后重试。"
    en = "The register does not answer now: retry later."


class CheckResult(StrEnum):
    """What the register says of a claim."""

    MATCH = "MATCH"
    MISMATCH = "MISMATCH"
    UNKNOWN = "UNKNOWN"


_Word = BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)


class RegisterEntry(BaseModel):
    """What the register publishes of a legal person that matched."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Annotated[str, _Word]
    status: Annotated[str, _Word]


class CheckAnswer(BaseModel):
    """An answer of the register, with the number under which it keeps what it was asked, and how alike a face is (0–1)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    result: Annotated[CheckResult, _Word]
    entry: RegisterEntry | None = None
    reference: str | None = None
    score: float | None = None


class Authority:
    """The register behind ``IDENTITY_AUTHORITY_URL``. Never call it while a transaction is open."""

    def __init__(self, base_url: str, http: httpx.AsyncClient) -> None:
        self._base_url = base_url.rstrip("/")
        self._http = http

    async def check_person(self, *, name: str, id_number: str) -> CheckAnswer:
        """Whether this name belongs to this identity number. Raises: AuthorityUnavailable."""
        return await self._check("/v1/person-checks", {"name": name, "id_number": id_number})

    async def check_document(
        self, *, kind: str, country: str, number: str, name: str, birth_date: date
    ) -> CheckAnswer:
        """Whether a travel document belongs to this name and birth date. Raises: AuthorityUnavailable."""
        claim = {"kind": kind, "country": country, "number": number, "name": name}
        return await self._check("/v1/document-checks", {**claim, "birth_date": birth_date.isoformat()})

    async def check_face(self, *, name: str, id_number: str, picture: bytes) -> CheckAnswer:
        """Whether it is the face of the person with this name and number. Raises: AuthorityUnavailable."""
        claim = {"name": name, "id_number": id_number, "picture": base64.b64encode(picture).decode()}
        return await self._check("/v1/face-checks", claim)

    async def check_network_identity(self, *, credential: str, id_number: str) -> CheckAnswer:
        """Whether a network credential 网证 is this person's. Raises: AuthorityUnavailable."""
        claim = {"credential": credential, "id_number": id_number}
        return await self._check("/v1/network-identity-checks", claim)

    async def check_guardian(self, *, guardian_id_number: str, child_id_number: str) -> CheckAnswer:
        """Whether one person is the guardian of another. Raises: AuthorityUnavailable."""
        claim = {"guardian_id_number": guardian_id_number, "child_id_number": child_id_number}
        return await self._check("/v1/guardian-checks", claim)

    async def check_legal_person(self, *, uscc: str, name: str, representative_id_number: str) -> CheckAnswer:
        """Whether it exists under this name and this is its representative's number. Raises: AuthorityUnavailable."""
        claim = {"uscc": uscc, "name": name, "representative_id_number": representative_id_number}
        return await self._check("/v1/legal-person-checks", claim)

    async def _check(self, path: str, claim: dict[str, Any]) -> CheckAnswer:
        try:
            answer = await self._http.post(f"{self._base_url}{path}", json=claim, timeout=_TIMEOUT)
            answer.raise_for_status()
            return CheckAnswer.model_validate_json(answer.content)
        except (httpx.HTTPError, ValidationError) as error:
            raise AuthorityUnavailable from error

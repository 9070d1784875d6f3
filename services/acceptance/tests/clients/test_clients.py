"""Our clients against small peers that answer over HTTP as identity and certificates do."""

import uuid
from datetime import date
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from acceptance_service.clients.certificates import (
    CertificatesClient,
    LicenceOrder,
    LicenceRefused,
)
from acceptance_service.clients.identity import IdentityClient
from service_common.contracts.acceptance import HolderKind
from service_common.http import PeerUnavailable, ServiceClient

HOLDER, CASE, LICENCE = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()


class Peer:
    """Answers as it is told, and remembers what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.answer: Any = {}
        self.asked: list[tuple[str, dict[str, Any], str | None]] = []
        self.app = FastAPI()
        self.app.add_api_route("/{path:path}", self._serve, methods=["GET", "POST"])

    async def _serve(self, request: Request) -> JSONResponse:
        body = await request.json() if request.method == "POST" else dict(request.query_params.multi_items())
        self.asked.append((request.url.path, body, request.headers.get("idempotency-key")))
        return JSONResponse(self.answer, self.status)

    def client(self) -> ServiceClient:
        client = ServiceClient("http://peer", httpx.Auth())
        client._http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://peer")
        return client


@pytest.fixture
def peer() -> Peer:
    return Peer()


async def look_up(peer: Peer, kind: HolderKind = HolderKind.NATURAL_PERSON) -> Any:
    return await IdentityClient(peer.client()).look_up(
        kind, HOLDER, attributes={"name", "phone"}, purpose="PREFILL", application_id=CASE
    )


async def test_identity_is_asked_for_named_attributes_with_a_purpose(peer: Peer) -> None:
    peer.answer = {"attributes": {"name": "王小麦", "phone": None}}
    assert (await look_up(peer)).attributes == {"name": "王小麦"}
    path, body, _ = peer.asked[0]
    assert path == "/identity/v1/profiles/lookup"
    assert body == {
        "person_id": str(HOLDER),
        "attributes": ["name", "phone"],
        "purpose": "PREFILL",
        "case_or_application_id": str(CASE),
    }


async def test_a_legal_person_is_asked_for_by_its_own_id(peer: Peer) -> None:
    peer.answer = {"attributes": {}}
    await look_up(peer, HolderKind.LEGAL_PERSON)
    assert "legal_person_id" in peer.asked[0][1]


async def test_a_person_unknown_to_identity_has_an_empty_profile(peer: Peer) -> None:
    peer.status = 404
    assert (await look_up(peer)).attributes == {}


@pytest.mark.parametrize("status", [401, 403, 422, 500, 503])
async def test_an_identity_that_does_not_answer_as_agreed_is_away(peer: Peer, status: int) -> None:
    peer.status = status
    with pytest.raises(PeerUnavailable):
        await look_up(peer)


def order() -> LicenceOrder:
    return LicenceOrder(
        type_code="11990000LB0000177R001",
        holder_kind=HolderKind.LEGAL_PERSON,
        holder_id=HOLDER,
        case_id=CASE,
        project_no="P1",
        issuer_department_id=uuid.uuid4(),
        surface={"单位名称": "示例店"},
        valid_from=date(2026, 7, 1),
        valid_until=None,
    )


@pytest.mark.parametrize("status", [200, 201])
async def test_a_licence_is_ordered_once_per_case(peer: Peer, status: int) -> None:
    peer.status, peer.answer = status, {"id": str(LICENCE)}
    assert await CertificatesClient(peer.client()).issue(order()) == LICENCE
    path, body, key = peer.asked[0]
    assert (path, key) == ("/certificates/v1/licences", str(CASE))
    assert body["holder"] == {"kind": "LEGAL_PERSON", "id": str(HOLDER)}


@pytest.mark.parametrize("code", ["case_has_licence", "idempotency_key_reused"])
async def test_a_case_that_has_its_licence_needs_no_other(peer: Peer, code: str) -> None:
    peer.status, peer.answer = 409, {"code": code}
    assert await CertificatesClient(peer.client()).issue(order()) is None


async def test_a_licence_that_is_refused_is_no_passing_fault(peer: Peer) -> None:
    peer.status, peer.answer = 422, {"code": "cannot_issue"}
    with pytest.raises(LicenceRefused):
        await CertificatesClient(peer.client()).issue(order())


@pytest.mark.parametrize(("status", "code"), [(409, "request_in_progress"), (429, "x"), (503, "x")])
async def test_a_library_that_is_busy_is_asked_again(peer: Peer, status: int, code: str) -> None:
    peer.status, peer.answer = status, {"code": code}
    with pytest.raises(PeerUnavailable):
        await CertificatesClient(peer.client()).issue(order())


async def test_surface_data_is_fetched_field_by_field_for_a_purpose(peer: Peer) -> None:
    peer.answer = {"surface": {"名称": "示例店"}}
    found = await CertificatesClient(peer.client()).fetch_surface(
        LICENCE, fields={"名称"}, purpose="PREFILL", application_id=CASE
    )
    assert found == {"名称": "示例店"}
    assert peer.asked[0][1] == {
        "purpose_code": "PREFILL",
        "case_or_application_id": str(CASE),
        "fields": ["名称"],
    }


async def test_what_a_holder_has_is_asked_by_types(peer: Peer) -> None:
    peer.answer = {"items": [{"id": str(LICENCE)}]}
    found = await CertificatesClient(peer.client()).held(HOLDER, ["T2", "T1"])
    assert found == [{"id": str(LICENCE)}]
    assert peer.asked[0][0] == f"/certificates/v1/holders/{HOLDER}/licences"


async def test_the_fields_of_a_type_come_with_their_sources(peer: Peer) -> None:
    peer.answer = {"surface_fields": [{"key": "名称", "source": "form.x"}, {"key": "备注", "source": None}]}
    found = await CertificatesClient(peer.client()).surface_fields("T1")
    assert [(one.key, one.source) for one in found] == [("名称", "form.x"), ("备注", None)]


async def test_an_unknown_type_cannot_be_issued(peer: Peer) -> None:
    peer.status = 404
    with pytest.raises(LicenceRefused):
        await CertificatesClient(peer.client()).surface_fields("T1")

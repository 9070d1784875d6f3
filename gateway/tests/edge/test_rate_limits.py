"""Buckets per subject and per address at the running edge."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from gateway.tests.edge.conftest import Edge, EdgeStarter

PRIVATE = "/acceptance/v1/cases/1"


async def _statuses(edge: "Edge", count: int, path: str = PRIVATE, **claims: Any) -> Counter[int]:
    headers = edge.issuer.bearer(**claims) if claims else {}
    return Counter([(await edge.http.get(path, headers=headers)).status_code for _ in range(count)])


async def test_each_subject_has_a_bucket_of_its_own(
    start_edge: "EdgeStarter", tiny_limits: Mapping[Any, Any]
) -> None:
    async with start_edge(limits=tiny_limits) as edge:
        first, second = str(uuid4()), str(uuid4())
        assert await _statuses(edge, 6, sub=first) == {200: 3, 429: 3}
        assert (await _statuses(edge, 3, sub=second)) == {200: 3}


async def test_a_new_token_is_no_new_bucket(
    start_edge: "EdgeStarter", tiny_limits: Mapping[Any, Any]
) -> None:
    async with start_edge(limits=tiny_limits) as edge:
        answers = [await _statuses(edge, 1, sub="one", jti=str(number)) for number in range(6)]
        assert sum(one[429] for one in answers) == 3


async def test_clients_have_wider_buckets_than_people(
    start_edge: "EdgeStarter", tiny_limits: Mapping[Any, Any]
) -> None:
    async with start_edge(limits=tiny_limits) as edge:
        assert await _statuses(edge, 6, sub="partner", subject_type="client") == {200: 6}


async def test_without_token_the_address_is_limited_and_people_with_tokens_are_not_hurt(
    start_edge: "EdgeStarter", tiny_limits: Mapping[Any, Any]
) -> None:
    async with start_edge(limits=tiny_limits) as edge:
        assert await _statuses(edge, 8, path="/acceptance/v1/items") == {200: 4, 429: 4}
        assert await _statuses(edge, 2, path="/acceptance/v1/items", sub="somebody") == {200: 2}


async def test_a_forged_subject_is_no_new_bucket(
    start_edge: "EdgeStarter", tiny_limits: Mapping[Any, Any]
) -> None:
    async with start_edge(limits=tiny_limits) as edge:
        token = edge.issuer.bearer(sub="one")
        statuses = [
            (
                await edge.http.get(
                    PRIVATE, headers={**token, "X-Edge-Subject": str(n), "X-Edge-Kind": "client"}
                )
            )
            for n in range(6)
        ]
        assert [one.status_code for one in statuses].count(429) == 3


async def test_a_forged_address_is_no_new_bucket(
    start_edge: "EdgeStarter", tiny_limits: Mapping[Any, Any]
) -> None:
    async with start_edge(limits=tiny_limits) as edge:
        statuses = [
            (
                await edge.http.get("/acceptance/v1/items", headers={"X-Forwarded-For": f"10.0.0.{n}"})
            ).status_code
            for n in range(8)
        ]
        assert statuses.count(429) == 4


async def test_all_addresses_of_one_line_share_a_bucket(
    start_edge: "EdgeStarter", tiny_limits: Mapping[Any, Any]
) -> None:
    async def statuses(edge: "Edge", network: str) -> list[int]:
        from_there = [{"X-Forwarded-For": f"{network}::{n + 1}"} for n in range(8)]
        return [(await edge.http.get("/acceptance/v1/items", headers=one)).status_code for one in from_there]

    async with start_edge(limits=tiny_limits, trusted_hops=1) as edge:
        assert (await statuses(edge, "2001:db8:1:2")).count(429) == 4
        assert (await statuses(edge, "2001:db8:1:3")).count(429) == 4


async def test_classes_do_not_share_buckets(
    start_edge: "EdgeStarter", tiny_limits: Mapping[Any, Any]
) -> None:
    async with start_edge(limits=tiny_limits) as edge:
        await _statuses(edge, 8, path="/acceptance/v1/items")
        answer = await edge.http.post("/acceptance/v1/catalogue/search", json={})
        assert answer.status_code == 200


async def test_the_client_sees_its_bucket_and_when_to_come_back(
    start_edge: "EdgeStarter", tiny_limits: Mapping[Any, Any]
) -> None:
    async with start_edge(limits=tiny_limits) as edge:
        headers = edge.issuer.bearer(sub="one")
        first = await edge.http.get(PRIVATE, headers=headers)
        assert first.headers["ratelimit-limit"] == "3"
        assert first.headers["ratelimit-remaining"] == "2"
        assert "ratelimit-reset" in first.headers
        assert "x-ratelimit-limit" not in first.headers
        for _ in range(5):
            last = await edge.http.get(PRIVATE, headers=headers)
        assert (last.status_code, last.json()["code"]) == (429, "too_many_requests")
        assert last.headers["retry-after"] == "1"
        assert last.headers["ratelimit-remaining"] == "0"

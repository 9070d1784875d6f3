"""The catalogue over HTTP: shapes, caching, permissions, refusals."""

import json
import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from acceptance_service.catalogue.admin_routes import CATALOGUE_REVIEW

EDIT = "acceptance:catalogue.edit acceptance:catalogue.read"
REVIEW = "acceptance:catalogue.review acceptance:catalogue.read"


def test_the_second_pair_of_eyes_is_a_persons() -> None:
    assert CATALOGUE_REVIEW.roles == {"operator"}


@pytest.fixture
def as_operator(token: Callable[..., str]) -> Callable[..., dict[str, str]]:
    """Headers of an operator, each request with a key of its own."""

    def make(scope: str, number: int = 1) -> dict[str, str]:
        access = token(sub=str(uuid.UUID(int=number)), subject_type="staff", scope=scope, roles=["operator"])
        return {"Authorization": f"Bearer {access}", "Idempotency-Key": str(uuid.uuid4())}

    return make


def item(code: str = "ITEM-1", **changes: Any) -> dict[str, Any]:
    return {
        "code": code,
        "name": "合成事项",
        "handling_name": None,
        "department": "HN-430300-SCJG",
        "department_origin": "portal",
        "division": "430300000000",
        "completeness": "link_only",
        "min_trust_level": 2,
        "instant_rule": None,
        "origin": {"kind": "source", "source": "synthetic"},
        "element_origins": {},
        **changes,
    }


async def test_a_file_goes_in_is_reviewed_by_another_and_comes_into_force(
    catalogue_client: httpx.AsyncClient, as_operator: Callable[..., dict[str, str]]
) -> None:
    imports = "/acceptance/v1/catalogue/imports"
    made = await catalogue_client.post(
        f"{imports}?kind=items", content=json.dumps(item()), headers=as_operator(EDIT)
    )
    assert made.status_code == 201, made.text
    assert made.json()["states"] == {"DRAFT": 1}
    one = f"{imports}/{made.json()['id']}"
    assert (await catalogue_client.get("/acceptance/v1/items/ITEM-1")).status_code == 404
    submitted = await catalogue_client.post(f"{one}/submit-review", headers=as_operator(EDIT))
    assert submitted.json()["states"] == {"IN_REVIEW": 1}
    own = await catalogue_client.post(f"{one}/approve", headers=as_operator(REVIEW))
    assert (own.status_code, own.json()["code"]) == (403, "own_review")
    approved = await catalogue_client.post(f"{one}/approve", headers=as_operator(REVIEW, 2))
    assert approved.json()["states"] == {"APPROVED": 1}
    done = await catalogue_client.post(f"{one}/publish", headers=as_operator(REVIEW, 2))
    assert done.json()["states"] == {"PUBLISHED": 1}
    shown = await catalogue_client.get("/acceptance/v1/items/ITEM-1")
    assert shown.status_code == 200
    assert "materials" in shown.json()["lacking"]


async def test_bad_rows_are_named_and_nothing_is_loaded(
    client: httpx.AsyncClient, as_operator: Callable[..., dict[str, str]]
) -> None:
    body = json.dumps(item()) + "\n" + json.dumps(item("ITEM-2", division="x"))
    refused = await client.post(
        "/acceptance/v1/catalogue/imports?kind=items", content=body, headers=as_operator(EDIT)
    )
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/lines/2/division"
    drafts = await client.get("/acceptance/v1/catalogue/items?state=DRAFT", headers=as_operator(EDIT))
    assert drafts.json()["items"] == []


async def test_the_same_request_twice_imports_once(
    client: httpx.AsyncClient, as_operator: Callable[..., dict[str, str]]
) -> None:
    headers = as_operator(EDIT)
    answers = [
        await client.post(
            "/acceptance/v1/catalogue/imports?kind=items", content=json.dumps(item()), headers=headers
        )
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert answers[1].headers["idempotency-replayed"] == "true"


async def test_a_file_beyond_twenty_megabytes_is_refused(
    client: httpx.AsyncClient, as_operator: Callable[..., dict[str, str]]
) -> None:
    answer = await client.post(
        "/acceptance/v1/catalogue/imports?kind=items",
        content=b" " * (20 * 1024**2 + 1),
        headers=as_operator(EDIT),
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/acceptance/v1/catalogue/imports?kind=items", REVIEW),
        ("POST", f"/acceptance/v1/catalogue/imports/{uuid.UUID(int=1)}/approve", EDIT),
        ("POST", f"/acceptance/v1/catalogue/imports/{uuid.UUID(int=1)}/publish", EDIT),
        ("GET", "/acceptance/v1/catalogue/items", "acceptance:catalogue.edit"),
    ],
)
async def test_a_token_without_the_scope_is_refused(
    client: httpx.AsyncClient,
    as_operator: Callable[..., dict[str, str]],
    method: str,
    path: str,
    scope: str,
) -> None:
    answer = await client.request(method, path, headers=as_operator(scope))
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert (await client.request(method, path)).status_code == 401


async def test_a_decision_on_a_version_rests_on_its_etag(
    client: httpx.AsyncClient, as_operator: Callable[..., dict[str, str]]
) -> None:
    await client.post(
        "/acceptance/v1/catalogue/imports?kind=items", content=json.dumps(item()), headers=as_operator(EDIT)
    )
    version = "/acceptance/v1/catalogue/items/ITEM-1/versions/1"
    read = await client.get(version, headers=as_operator(EDIT))
    missing = await client.post(f"{version}/submit-review", headers=as_operator(EDIT))
    assert missing.status_code == 428
    stale = await client.post(f"{version}/submit-review", headers=as_operator(EDIT) | {"If-Match": '"9"'})
    assert stale.status_code == 412
    done = await client.post(
        f"{version}/submit-review", headers=as_operator(EDIT) | {"If-Match": read.headers["etag"]}
    )
    assert (done.status_code, done.json()["state"]) == (200, "IN_REVIEW")
    assert done.headers["etag"] != read.headers["etag"]
    reviewed = await client.post(
        f"{version}/approve",
        headers=as_operator(REVIEW, 2) | {"If-Match": done.headers["etag"]},
        json={"note": "已核对"},
    )
    assert reviewed.json()["state"] == "APPROVED"
    reviews = await client.get(f"{version}/reviews", headers=as_operator(EDIT))
    assert [(one["action"], one["note"]) for one in reviews.json()] == [("approve", "已核对")]


async def test_lists_go_on_where_the_page_ended(catalogue_client: httpx.AsyncClient) -> None:
    codes: list[str] = []
    link: str | None = "/acceptance/v1/items?division=430300000000&limit=7"
    while link:
        page = (await catalogue_client.get(link)).json()
        codes += [one["code"] for one in page["items"]]
        link = page["next"]
    assert codes == sorted(set(codes))
    assert len(codes) > 14
    assert all(code.startswith("HN-430300") for code in codes)


async def test_a_known_item_is_not_sent_again(catalogue_client: httpx.AsyncClient) -> None:
    path = "/acceptance/v1/items/HN-430300-000131024000-01"
    first = await catalogue_client.get(path)
    assert first.json()["department_name"] == "湘潭市市场监督管理局"
    again = await catalogue_client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


async def test_every_theme_is_public_and_says_what_is_lacking(catalogue_client: httpx.AsyncClient) -> None:
    themes = (await catalogue_client.get("/acceptance/v1/themes?limit=100")).json()["items"]
    by_code = {one["code"]: one for one in themes}
    assert len(themes) == 58
    assert by_code["43TCP0018"]["guide"] == "bundle"
    assert (by_code["43PCN0009"]["guide"], by_code["43PCN0009"]["bundle_version"]) == ("none", None)


async def test_published_versions_are_public(catalogue_client: httpx.AsyncClient) -> None:
    versions = await catalogue_client.get("/acceptance/v1/bundles/43TCP0018/versions")
    assert [(one["entry_version"], one["state"]) for one in versions.json()] == [(1, "PUBLISHED")]
    bundles = await catalogue_client.get("/acceptance/v1/bundles?division=430304000000")
    assert {"43TCP0018", "43TCN0003"} == {one["code"] for one in bundles.json()["items"]}


@pytest.mark.parametrize(
    "path",
    [
        "/acceptance/v1/items/NO-SUCH-ITEM",
        "/acceptance/v1/bundles/NOSUCH",
        "/acceptance/v1/items/NO-SUCH-ITEM/versions",
        "/acceptance/v1/bundles/NOSUCH/questions",
        "/acceptance/v1/bundles/NOSUCH/savings",
    ],
)
async def test_what_is_not_published_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_entry")


@pytest.mark.parametrize(
    "path",
    [
        "/acceptance/v1/items/%00",
        "/acceptance/v1/items/a'--",
        "/acceptance/v1/items?division=43",
        "/acceptance/v1/items?division=990000000000",
        "/acceptance/v1/items?cursor=nonsense",
        "/acceptance/v1/items?limit=101",
        "/acceptance/v1/items?applicant_kind=ROBOT",
    ],
)
async def test_bad_input_is_a_problem_document(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"

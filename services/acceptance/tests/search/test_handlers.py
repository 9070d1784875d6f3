"""Searching the published catalogue: places, applicants, pages."""

from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.search.domain import EntryKind
from acceptance_service.search.handlers import Offer, Wish, index_offers, search_catalogue, withdraw_offers
from acceptance_service.search.repository import Found


def offer(
    code: str, division: str = "430300000000", *, title: str = "合成渡口许可", kinds: tuple[str, ...] = ()
) -> Offer:
    return Offer(
        kind=EntryKind.ITEM,
        title=title,
        code=code,
        entry_version=1,
        divisions=(division,),
        department_id=None,
        applicant_kinds=kinds,
        has_guide=True,
        fields=((title, 1.0),),
    )


async def search(session: AsyncSession, text: str = "渡口", **changes: object) -> list[Found]:
    values: dict[str, object] = {"division": None, "applicant_kind": None, "limit": 10, "after": None}
    return list(await search_catalogue(session, Wish(text=text, **{**values, **changes})))  # type: ignore[arg-type]


async def test_items_of_one_title_are_one_result_anywhere(session: AsyncSession) -> None:
    await index_offers(session, [offer("A", "430300000000"), offer("B", "511602000000")])
    assert [one.code for one in await search(session)] == ["A"]


async def test_within_a_division_its_own_implementation_is_shown(session: AsyncSession) -> None:
    await index_offers(session, [offer("A", "430300000000"), offer("B", "511602000000")])
    assert [one.code for one in await search(session, division="511602101000")] == ["B"]
    assert await search(session, division="420100000000") == []


async def test_the_nearest_division_wins(session: AsyncSession) -> None:
    await index_offers(
        session,
        [offer("PROVINCE", "430000000000"), offer("CITY", "430300000000"), offer("CITY-2", "430300000000")],
    )
    assert [one.code for one in await search(session, division="430304000000")] == ["CITY", "CITY-2"]
    assert [one.code for one in await search(session, division="430100000000")] == ["PROVINCE"]


async def test_an_item_for_companies_is_not_shown_to_persons(session: AsyncSession) -> None:
    await index_offers(session, [offer("A", kinds=("LEGAL_PERSON",)), offer("B", title="合成渡口登记")])
    codes = [one.code for one in await search(session, applicant_kind="NATURAL_PERSON")]
    assert codes == ["B"]


async def test_pages_continue_without_gap_or_repetition(catalogue_session: AsyncSession) -> None:
    whole = await search(catalogue_session, "许可证", limit=30)
    pages: list[Found] = []
    after = None
    while len(pages) < 30:
        page = (await search(catalogue_session, "许可证", limit=7, after=after))[:7]
        pages += page
        after = (page[-1].score, page[-1].entry_id, page[-1].code)
    assert pages[:30] == whole[:30]


async def test_an_entry_without_offers_is_gone(session: AsyncSession) -> None:
    await index_offers(session, [offer("A"), offer("B", "511602000000")])
    await withdraw_offers(session, ["A"])
    assert [one.code for one in await search(session)] == ["B"]
    await withdraw_offers(session, ["B"])
    assert await search(session) == []


async def test_an_exact_title_comes_first(session: AsyncSession) -> None:
    await index_offers(
        session,
        [
            offer("LONG", title="渡口许可渡口许可"),
            offer("EXACT", title="渡口许可"),
            offer("OTHER", title="许可渡口"),
        ],
    )
    first, *_ = await search(session, "渡口许可")
    assert first.code == "EXACT"

"""What is kept of a bundle lasts as long as the edition of the catalogue, whoever changes it."""

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from acceptance_service.bundles.repository import published_bundle
from acceptance_service.catalogue.models import CatalogueEdition

STORE = "43TCN0008"


async def _edition(session: AsyncSession) -> object:
    return await session.scalar(select(CatalogueEdition.edition))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE departments SET name = name || '（新）'",
        "DELETE FROM department_codes",
        "UPDATE bundles SET state = 'RETIRED'",
        "UPDATE service_items SET entry_version = entry_version + 1",
    ],
)
async def test_every_change_of_what_plans_rest_on_begins_an_edition(
    catalogue_session: AsyncSession, change: str
) -> None:
    before = await _edition(catalogue_session)
    await catalogue_session.execute(text(change))
    assert await _edition(catalogue_session) != before


async def test_a_plan_never_rests_on_a_catalogue_that_is_over(catalogue_session: AsyncSession) -> None:
    before = await published_bundle(catalogue_session, STORE)
    assert before is not None
    await catalogue_session.execute(text("UPDATE departments SET active = false"))
    after = await published_bundle(catalogue_session, STORE)
    assert after is not None
    assert {one.active for one in before.departments.values()} == {True}
    assert {one.active for one in after.departments.values()} == {False}
    await catalogue_session.execute(text("UPDATE bundles SET state = 'RETIRED'"))
    assert await published_bundle(catalogue_session, STORE) is None


async def test_within_an_edition_a_bundle_is_read_once(
    catalogue_session: AsyncSession, catalogue_connection: AsyncConnection
) -> None:
    await published_bundle(catalogue_session, STORE)
    sent: list[str] = []
    event.listen(
        catalogue_connection.sync_connection,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: sent.append(statement),
    )
    await published_bundle(catalogue_session, STORE)
    assert len(sent) == 1
    assert "catalogue_edition" in sent[0]

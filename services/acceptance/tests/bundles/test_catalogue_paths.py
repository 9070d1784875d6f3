"""Every path through every bundle of the project's catalogue can be planned."""

import itertools
import json

import jsonschema
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.bundles.handlers import find_bundle, show_savings
from acceptance_service.bundles.planning import plan_bundle
from acceptance_service.catalogue.bundle_definition import complete_paths
from acceptance_service.catalogue.models import Bundle
from gov_rules.identifiers.item_code import parse_task_code

BUNDLES = [
    "43PCN0010",
    "43PCN0012",
    "43PCN0013",
    "43PCP0008",
    "43PCP0010",
    "43PCP0017",
    "43TCN0001",
    "43TCN0002",
    "43TCN0003",
    "43TCN0008",
    "43TCP0015",
    "43TCP0018",
]


@pytest.mark.parametrize("code", BUNDLES)
async def test_every_complete_path_can_be_applied_for(catalogue_session: AsyncSession, code: str) -> None:
    bundle = await find_bundle(catalogue_session, code)
    schemas, task_codes = {}, set()
    for answers in itertools.islice(complete_paths(bundle.definition), 300):
        for region in bundle.definition.regions:
            plan = plan_bundle(bundle, division=region.division, answers=answers)
            assert plan.complete, answers
            assert plan.items, answers
            schemas[json.dumps(plan.form_schema)] = plan.form_schema
            task_codes |= {item.implementation_code for item in plan.items}
    # Many paths lead to the same form, and its check takes longer than the planning: each once.
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for task_code in task_codes:
        parse_task_code(task_code, allow_local_tail=True)


@pytest.mark.parametrize("code", BUNDLES)
async def test_savings_never_count_what_the_catalogue_lacks(
    catalogue_session: AsyncSession, code: str
) -> None:
    bundle = await find_bundle(catalogue_session, code)
    answers = next(complete_paths(bundle.definition))
    savings = await show_savings(catalogue_session, bundle_code=code, division=None, answers=answers)
    for figure in savings.figures:
        assert (figure.before is None) == bool(figure.lacking_items)


async def test_no_bundle_is_left_out(catalogue_session: AsyncSession) -> None:
    codes = await catalogue_session.scalars(select(Bundle.code).order_by(Bundle.code))
    assert list(codes) == BUNDLES

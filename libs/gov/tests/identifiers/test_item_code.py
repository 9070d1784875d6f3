"""GB/T 39554.1 item codes, and local codes that must stay opaque."""

import pytest

from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers import (
    CatalogueCode,
    ExerciseLevel,
    HandlingItemCode,
    ItemType,
    LocalItemCode,
    TaskCode,
    compose_task_code,
    parse_catalogue_code,
    parse_handling_item_code,
    parse_task_code,
    read_item_code,
)

HUNAN_TASK = "11430000006122244L2430107001001"


@pytest.mark.parametrize(
    ("code", "region", "item_type", "sub_item"),
    [
        ("000172142001", "00", ItemType.PERMIT, "001"),
        ("002072029000", "00", ItemType.PUBLIC_SERVICE, None),
        ("312003564000", "31", ItemType.PUBLIC_SERVICE, None),
        ("442199806003", "44", "21", "003"),  # an extension type
    ],
)
def test_gb_t_39554_basic_codes_tell_region_type_and_sub_item(
    code: str, region: str, item_type: str, sub_item: str | None
) -> None:
    parsed = parse_catalogue_code(code)
    assert (parsed.region, parsed.item_type, parsed.sub_item) == (region, item_type, sub_item)
    assert parsed.department + parsed.main_item == code[4:9]


@pytest.mark.parametrize("code", ["000072142001", "003072142001", "00017214200", "00017214200A"])
def test_gb_t_39554_a_basic_code_needs_twelve_digits_and_an_item_type(code: str) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        parse_catalogue_code(code)
    assert refusal.value.code == "catalogue_code_format"


@pytest.mark.parametrize(
    ("code", "level", "basic"),
    [
        (HUNAN_TASK, ExerciseLevel.PROVINCE, "430107001001"),
        ("11100000MB0341032Y1000172142001", ExerciseLevel.NATION, "000172142001"),
        ("11310000MB2F30661Y2312003564000", ExerciseLevel.PROVINCE, "312003564000"),
        ("12441500196720244T3442199806003", ExerciseLevel.CITY, "442199806003"),
    ],
)
def test_gb_t_39554_implementation_codes_carry_body_level_and_basic_code(
    code: str, level: ExerciseLevel, basic: str
) -> None:
    parsed = parse_task_code(code)
    assert (parsed.implementing_body.value, parsed.level) == (code[:18], level)
    assert parsed.catalogue_code == CatalogueCode(basic)
    assert compose_task_code(code[:18], level, basic) == code


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("11430000006122244K2430107001001", "credit_code_check"),
        ("11430000006122244L9430107001001", "task_code_level"),
        ("11430000006122244L243010700100", "task_code_length"),
        ("11430000006122244L2430007001001", "task_code_catalogue"),
    ],
)
def test_gb_t_39554_faulty_implementation_codes_are_refused(code: str, error: str) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        parse_task_code(code)
    assert refusal.value.code == error


@pytest.mark.parametrize(
    "code", [f"{HUNAN_TASK}01", "11100000MB0341032Y100017214200101", "11310000MB2F30661Y231200356400001"]
)
def test_gb_t_39554_a_handling_item_is_an_implementation_code_and_a_sequence(code: str) -> None:
    parsed = parse_handling_item_code(code)
    assert (parsed.task_code.value, parsed.sequence) == (code[:31], 1)


@pytest.mark.parametrize("sequence", ["00", "0A", "1"])
def test_gb_t_39554_a_handling_item_sequence_runs_from_01_to_99(sequence: str) -> None:
    with pytest.raises(InvalidIdentifier):
        parse_handling_item_code(HUNAN_TASK + sequence)


def test_a_local_twelve_fits_an_implementation_code_only_when_allowed() -> None:
    code = compose_task_code("11511301008778183N", ExerciseLevel.COUNTY, "511Z07001006")
    assert len(code) == 31
    assert parse_task_code(code, allow_local_tail=True).catalogue_code is None
    with pytest.raises(InvalidIdentifier):
        parse_task_code(code)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("000172142001", CatalogueCode),
        (HUNAN_TASK, TaskCode),
        (f"{HUNAN_TASK}01", HandlingItemCode),
        ("511Z07001006", LocalItemCode),  # twelve characters, yet a province's own
        ("11430000006122244K2430107001001", LocalItemCode),
        ("511Z07001006-511602000000-000-11511301008778183N-1-00", LocalItemCode),
        ("XK12345001", LocalItemCode),
    ],
)
def test_a_code_that_is_not_of_the_national_form_is_kept_as_an_opaque_local_one(
    code: str, kind: type
) -> None:
    parsed = read_item_code(f" {code} ")
    assert isinstance(parsed, kind)
    assert parsed.value == code


@pytest.mark.parametrize("code", ["", "事项一", "A B", "-A", "A" * 65])
def test_text_that_can_be_no_code_is_refused(code: str) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        read_item_code(code)
    assert refusal.value.code == "item_code_format"

"""GB/T 2260 divisions and twelve-digit area codes."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_rules.divisions import (
    NATION,
    DivisionKind,
    DivisionLevel,
    all_divisions,
    ancestors_of,
    children_of,
    code_prefix,
    find_division,
    get_division,
    is_within,
    name_path,
    parent_of,
    parse_area_code,
    to_area_code,
    to_division_code,
)
from gov_rules.errors import InvalidIdentifier

codes = st.sampled_from([row.code for row in all_divisions()])


@pytest.mark.parametrize(
    ("code", "name", "level"),
    [
        ("430000", "湖南省", DivisionLevel.PROVINCE),
        ("430100", "长沙市", DivisionLevel.CITY),
        ("430300", "湘潭市", DivisionLevel.CITY),
        ("430321", "湘潭县", DivisionLevel.COUNTY),
        ("431100", "永州市", DivisionLevel.CITY),
        ("420000", "湖北省", DivisionLevel.PROVINCE),
        ("420300", "十堰市", DivisionLevel.CITY),
        ("420322", "郧西县", DivisionLevel.COUNTY),
        ("810000", "香港特别行政区", DivisionLevel.PROVINCE),
    ],
)
def test_gb_t_2260_codes_are_found_with_name_and_level(code: str, name: str, level: DivisionLevel) -> None:
    division = get_division(code)
    assert (division.name, division.level) == (name, level)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("43030", "area_code_format"),
        ("990000", "area_code_province"),
        ("430399", "division_unknown"),
        ("43010４", "area_code_format"),
    ],
)
def test_gb_t_2260_faults_are_refused_each_with_its_own_code(code: str, error: str) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        get_division(code)
    assert refusal.value.code == error


def test_the_table_is_complete_to_county() -> None:
    rows = all_divisions()
    counts = [sum(row.level == level for row in rows) for level in list(DivisionLevel)[1:4]]
    assert counts == [34, 342, 2978]
    assert len({(row.code, row.level) for row in rows}) == len(rows)


@pytest.mark.parametrize(
    ("code", "parent"),
    [
        ("430104", "430100"),
        ("430100", "430000"),
        ("429004", "420000"),  # 仙桃市 is administered by the province, not by a heading
        ("659001", "650000"),
        ("110101", "110000"),
        ("500230", "500000"),
    ],
)
def test_gb_t_2260_the_parent_of_a_directly_administered_county_is_its_province(
    code: str, parent: str
) -> None:
    found = parent_of(get_division(code))
    assert found is not None
    assert found.code == parent


def test_a_province_has_no_parent() -> None:
    assert parent_of(get_division("430000")) is None


@pytest.mark.parametrize("code", ["441900", "442000", "460400"])
def test_a_city_without_counties_is_told_from_its_own_county_by_level(code: str) -> None:
    city, county = get_division(code), get_division(code, DivisionLevel.COUNTY)
    assert (city.level, county.level) == (DivisionLevel.CITY, DivisionLevel.COUNTY)
    assert parent_of(county) == city
    assert name_path(f"{code}003000") == (get_division(f"{code[:2]}0000").name, city.name)


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("430104", ("湖南省", "长沙市", "岳麓区")),
        ("430104999000", ("湖南省", "长沙市", "岳麓区")),
        ("430104001002", ("湖南省", "长沙市", "岳麓区")),
        ("429004", ("湖北省", "仙桃市")),
        ("110101", ("北京市", "东城区")),
        (NATION, ("全国",)),
    ],
)
def test_a_name_path_goes_from_the_province_to_the_county_without_headings(
    code: str, names: tuple[str, ...]
) -> None:
    assert name_path(code) == names


def test_the_ancestors_of_a_township_begin_with_its_county() -> None:
    assert [row.code for row in ancestors_of("430104001000")] == ["430104", "430100", "430000"]
    assert [row.code for row in ancestors_of("430104")] == ["430100", "430000"]
    assert ancestors_of("000000") == ()


def test_the_children_of_a_province_include_directly_administered_counties() -> None:
    names = {row.name for row in children_of("420000")}
    assert {"武汉市", "仙桃市", "神农架林区"} <= names
    assert "省直辖县级行政区划" not in names
    assert [row.level for row in children_of("441900")] == [DivisionLevel.COUNTY]
    assert children_of("430104") == ()


@pytest.mark.parametrize(
    ("text", "value", "level"),
    [
        ("430000", "430000000000", DivisionLevel.PROVINCE),
        ("430100", "430100000000", DivisionLevel.CITY),
        ("430104", "430104000000", DivisionLevel.COUNTY),
        ("430104001", "430104001000", DivisionLevel.TOWNSHIP),
        ("430104001002", "430104001002", DivisionLevel.VILLAGE),
        ("430104999000", "430104999000", DivisionLevel.COUNTY),
        ("100000", NATION, DivisionLevel.NATION),
        ("000000000000", NATION, DivisionLevel.NATION),
    ],
)
def test_gb_t_10114_area_codes_are_brought_to_twelve_digits_and_tell_their_level(
    text: str, value: str, level: DivisionLevel
) -> None:
    area = parse_area_code(text)
    assert (area.value, area.level) == (value, level)
    assert (to_area_code(text), to_division_code(text)) == (value, value[:6])


def test_999_is_the_own_level_of_a_district() -> None:
    area = parse_area_code("430104999000")
    assert area.is_own_level
    assert get_division(area.value).name == "岳麓区"
    assert not parse_area_code("430104001000").is_own_level


@pytest.mark.parametrize(
    ("code", "ancestor", "within"),
    [
        ("430104", "430100", True),
        ("430104", "430000000000", True),
        ("430104", "430104000000", True),
        ("430100", "430104", False),
        ("430104", "430200", False),
        ("430104001002", "430104001000", True),
        ("430104002000", "430104001000", False),
        ("430104001002", "430104001002", True),
        ("430104001000", "430104001002", False),
        ("430104999000", "430104", True),
        ("430104", "430104999000", False),
        ("430104001000", "430104999000", False),
        ("429004", "420000", True),
        ("429004", "420100", False),
        ("441900003000", "441900", True),
        ("430191", "430100", True),  # a development zone that no table has
        ("430000", NATION, True),
        (NATION, "430000", False),
    ],
)
def test_within_is_answered_from_the_digits(code: str, ancestor: str, within: bool) -> None:
    assert is_within(code, ancestor) is within


@pytest.mark.parametrize(
    ("ancestor", "prefix"),
    [
        (NATION, ""),
        ("430000", "43"),
        ("430300", "4303"),
        ("430304", "430304"),
        ("430300999000", "430300999"),
        ("430304999000", "430304999"),
        ("430304001000", "430304001"),
        ("430304001002", "430304001002"),
    ],
)
def test_all_within_an_area_begin_alike(ancestor: str, prefix: str) -> None:
    assert code_prefix(ancestor) == prefix


def test_development_zones_are_virtual_and_districts_named_like_them_are_not() -> None:
    zone = find_division("130171")
    assert zone is not None
    assert zone.kind is DivisionKind.VIRTUAL
    assert get_division("310115").kind is DivisionKind.ADMINISTRATIVE  # 浦东新区
    assert get_division("429000").kind is DivisionKind.GROUPING


@given(codes)
def test_every_row_lies_within_all_of_its_ancestors(code: str) -> None:
    for ancestor in ancestors_of(code):
        assert is_within(code, ancestor.code)


@given(codes, codes, codes)
def test_within_is_transitive(first: str, second: str, third: str) -> None:
    if is_within(first, second) and is_within(second, third):
        assert is_within(first, third)


@given(st.text(max_size=14))
def test_any_text_is_either_an_area_code_or_an_invalid_identifier(text: str) -> None:
    with suppress(InvalidIdentifier):
        assert len(parse_area_code(text).value) == 12

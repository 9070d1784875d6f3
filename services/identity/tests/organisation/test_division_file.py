"""Reading files of divisions."""

import pytest

from gov_rules.divisions import DivisionLevel
from identity_service.organisation.division_file import BadImport, implied_parent, orphans, read_divisions

CSV = "code,name,level,parent_code\n430000,湖南省,province,\n430300,湘潭市,city,430000\n430302,雨湖区,county,430300\n"


def test_levels_and_parents_follow_from_the_code_when_left_out() -> None:
    rows = read_divisions("code,name\n430302001001,某社区\n430302001,某街道\n430302,雨湖区\n", ndjson=False)
    assert [row.level for row in rows] == [
        DivisionLevel.VILLAGE,
        DivisionLevel.TOWNSHIP,
        DivisionLevel.COUNTY,
    ]
    assert [row.parent_code for row in rows] == ["430302001000", "430302000000", "430300000000"]


def test_provinces_belong_to_the_nation() -> None:
    assert implied_parent("430000000000", DivisionLevel.PROVINCE) == "100000000000"


def test_ndjson_says_the_same_as_csv() -> None:
    lines = '{"code": "430000", "name": "湖南省"}\n\n{"code": "430300", "name": "湘潭市", "level": "CITY"}\n'
    assert [row.code for row in read_divisions(lines, ndjson=True)] == ["430000000000", "430300000000"]
    with_mark = read_divisions("\ufeff" + CSV, ndjson=False)
    assert with_mark[0].name == "湖南省"


def test_a_city_without_counties_is_its_own_county() -> None:
    rows = read_divisions(
        "code,name,level,parent_code\n441900,东莞市,city,440000\n441900,东莞市,county,441900\n", ndjson=False
    )
    assert [row.level for row in rows] == [DivisionLevel.CITY, DivisionLevel.COUNTY]


@pytest.mark.parametrize(
    ("text", "ndjson", "lines"),
    [
        ("code,name\n43030,短\n430300,湘潭市\n990000,无\n", False, ["/lines/2", "/lines/4"]),
        ("code,name\n430300,\n", False, ["/lines/2"]),
        ("code,name,level\n430300,湘潭市,village\n", False, ["/lines/2"]),
        ("code,name,kind\n430300,湘潭市,ODD\n", False, ["/lines/2"]),
        ("code,name\n430300,湘潭市\n430300,湘潭市\n", False, ["/lines/3"]),
        ("code,name,colour\n430300,湘潭市,red\n", False, ["/lines/2"]),
        ("code,name\n430300,湘潭市,extra\n", False, ["/lines/2"]),
        ("name\n湘潭市\n", False, ["/lines/2"]),
        ("code,name\n100000,全国\n", False, ["/lines/2"]),
        ('{"code": "430300"\n[1]\n{"code": "430300", "name": "湘潭市"}', True, ["/lines/1", "/lines/2"]),
    ],
)
def test_every_bad_line_is_named(text: str, ndjson: bool, lines: list[str]) -> None:
    with pytest.raises(BadImport) as refused:
        read_divisions(text, ndjson=ndjson)
    assert [problem.pointer for problem in refused.value.fields] == lines
    assert refused.value.facts["count"] == len(lines)


def test_at_most_a_hundred_bad_lines_are_named_and_all_are_counted() -> None:
    with pytest.raises(BadImport) as refused:
        read_divisions("code,name\n" + "1,x\n" * 250, ndjson=False)
    assert len(refused.value.fields) == 100
    assert refused.value.facts["count"] == 250


def test_a_parent_must_be_in_the_file_or_known() -> None:
    rows = read_divisions("code,name\n430302,雨湖区\n430000,湖南省\n", ndjson=False)
    assert [problem.pointer for problem in orphans(rows, set())] == ["/lines/2"]
    assert orphans(rows, {"430300000000"}) == []

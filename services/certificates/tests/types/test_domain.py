import json
from uuid import UUID

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates_service.types.domain import (
    HIDDEN,
    Category,
    CodeKnown,
    HolderScope,
    IssuerRule,
    IssuingDepartment,
    Sensitivity,
    SurfaceField,
    TypeDefinition,
    Validity,
    ValidityRule,
    check_definitions,
    check_issuers,
    check_surface,
    complete_surface,
    mask_surface,
    mask_value,
    select_fields,
    surface_schema,
)
from service_common.contracts.acceptance import HolderKind

FIELDS = (
    SurfaceField("姓名", "applicant.name", required=True, personal=True),
    SurfaceField("公民身份号码", "applicant.number", required=True, personal=True),
    SurfaceField("住址", None, required=False, personal=True),
    SurfaceField("证书编号", "licence.number", required=True, personal=False),
    SurfaceField("发证机关", "department.name", required=True, personal=False),
)


def definition(code: str = "11990000LB0000230M001", **changes: object) -> TypeDefinition:
    values: dict[str, object] = {
        "code": code,
        "name": "试验证",
        "aliases": (),
        "is_official": False,
        "code_known": CodeKnown.LOCAL,
        "category": Category.LICENCE,
        "authority": "HN-430000-SCJG",
        "holder_kind": HolderScope.BOTH,
        "validity": Validity(ValidityRule.LONG_TERM),
        "qr_lifetime_seconds": 60,
        "surface_fields": FIELDS,
        "issuers": (IssuerRule(kind="SCJG", division="430000000000"),),
        "origin": {},
        **changes,
    }
    return TypeDefinition(**values)  # type: ignore[arg-type]  # a test varies any one of them


def test_good_definitions_have_no_problem() -> None:
    assert check_definitions([definition()]) == []


def test_a_wrong_check_character_in_a_type_code_is_named_by_its_row() -> None:
    problems = check_definitions([definition(), definition("11990000LB0000230N002")])
    assert [problem.pointer for problem in problems] == ["/licence_types/1/code"]
    assert problems[0].zh.startswith("第 2 行")


def test_a_code_that_stands_twice_is_named_in_both_rows() -> None:
    problems = check_definitions([definition(), definition()])
    assert [(one.pointer, one.code) for one in problems] == [
        ("/licence_types/0/code", "code_twice"),
        ("/licence_types/1/code", "code_twice"),
    ]


def test_a_field_that_stands_twice_is_named() -> None:
    problems = check_definitions([definition(surface_fields=(FIELDS[0], FIELDS[0]))])
    assert {one.code for one in problems} == {"field_twice"}


@pytest.mark.parametrize(
    "validity", [Validity(ValidityRule.YEARS), Validity(ValidityRule.LONG_TERM, years=4)]
)
def test_years_belong_to_the_rule_of_years_alone(validity: Validity) -> None:
    assert [one.code for one in check_definitions([definition(validity=validity)])] == ["years_with_rule"]


def test_a_type_for_persons_admits_no_company() -> None:
    assert HolderScope.PERSON.admits(HolderKind.NATURAL_PERSON)
    assert not HolderScope.PERSON.admits(HolderKind.LEGAL_PERSON)
    assert HolderScope.BOTH.admits(HolderKind.LEGAL_PERSON)


def test_a_personal_field_makes_a_type_personal() -> None:
    assert definition().sensitivity is Sensitivity.PERSONAL
    assert definition(surface_fields=FIELDS[3:]).sensitivity is Sensitivity.ORDINARY


@given(
    st.dictionaries(
        st.sampled_from([*(field.name for field in FIELDS), "没有的字段"]), st.text(max_size=3), max_size=6
    )
)
def test_the_published_schema_and_the_check_agree(surface: dict[str, str]) -> None:
    schema = surface_schema(FIELDS)
    jsonschema.Draft202012Validator.check_schema(schema)
    accepted = jsonschema.Draft202012Validator(schema).is_valid(json.loads(json.dumps(surface)))
    assert accepted == (list(check_surface(FIELDS, surface)) == [])


def test_what_the_library_knows_is_filled_in_and_what_is_given_stays() -> None:
    surface = complete_surface(
        FIELDS,
        {"公民身份号码": "990101199001010019", "姓名": "王小麦", "证书编号": "示证1号"},
        {"licence.number": "SERIAL", "department.name": "示例市公安局"},
    )
    assert list(surface) == ["姓名", "公民身份号码", "证书编号", "发证机关"]
    assert surface["证书编号"] == "示证1号"
    assert surface["发证机关"] == "示例市公安局"


@pytest.mark.parametrize(
    ("name", "value", "masked"),
    [
        ("姓名", "王小麦", "王**"),
        ("法定代表人", "李谷雨", "李**"),
        ("公民身份号码", "990101199001010019", "990*************19"),
        ("联系电话", "19900000001", "199****0001"),
        ("住址", "示例市示范区谷雨路1号", HIDDEN),
        ("民族", "汉", HIDDEN),
    ],
)
def test_personal_values_are_masked(name: str, value: str, masked: str) -> None:
    assert mask_value(name, value) == masked


def test_ordinary_fields_stay_readable_and_unknown_ones_are_masked() -> None:
    masked = mask_surface(FIELDS, {"姓名": "王小麦", "证书编号": "示证1号", "旧字段": "内容"})
    assert masked == {"姓名": "王**", "证书编号": "示证1号", "旧字段": HIDDEN}


def test_only_what_was_asked_for_is_selected() -> None:
    surface = {"姓名": "王小麦", "住址": "谷雨路"}
    assert select_fields(surface, ["住址"]) == {"住址": "谷雨路"}
    assert select_fields(surface, None) == surface


CITY_REGULATOR = IssuingDepartment(UUID(int=1), "11990300LB00002305", "430300000000", True, "SCJG")


@pytest.mark.parametrize(
    ("rule", "admitted"),
    [
        (IssuerRule(kind="SCJG"), True),
        (IssuerRule(kind="SCJG", division="430000000000"), True),
        (IssuerRule(kind="SCJG", division="430304000000"), False),
        (IssuerRule(kind="GA"), False),
        (IssuerRule(uscc="11990300LB00002305"), True),
        (IssuerRule(uscc="11990300LB00002305", division="510000000000"), False),
        (IssuerRule(uscc="11990304LB0000230Y"), False),
    ],
)
def test_issuers_are_of_a_kind_or_named_and_inside_a_division(rule: IssuerRule, admitted: bool) -> None:
    assert definition(issuers=(rule,)).may_be_issued_by(CITY_REGULATOR) is admitted


def test_a_type_that_names_no_issuer_is_issued_by_nobody() -> None:
    assert not definition(issuers=()).may_be_issued_by(CITY_REGULATOR)


def test_an_issuer_is_named_in_one_way_in_a_division_that_can_be_read() -> None:
    rules = (
        IssuerRule(),
        IssuerRule(kind="SCJG", uscc="11990300LB00002305"),
        IssuerRule("SCJG", None, "990000000000"),
    )
    problems = check_issuers([definition(issuers=rules)], {"SCJG"})
    assert [(one.pointer.rpartition("issuers/")[2], one.code) for one in problems] == [
        ("0", "kind_or_uscc"),
        ("1", "kind_or_uscc"),
        ("2/division", "area_code_province"),
    ]

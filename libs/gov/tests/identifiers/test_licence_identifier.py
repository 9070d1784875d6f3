"""GB/T 36904-2018 电子证照标识 with ISO 7064 MOD 37,36."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers import (
    compose_licence_identifier,
    parse_licence_identifier,
    parse_licence_type_code,
)

ROOT = "1.2.156.3005.2"
TYPE, ISSUER = "11100000000013338W011", "11430000006122244L"
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@pytest.mark.parametrize(
    ("identifier", "issuer", "version"),
    [
        (f"{ROOT}.{TYPE}.{ISSUER}.20230000403.001.U", ISSUER, 1),
        (f"{ROOT}.11100000000013338W009.11330105002500287C.2025052201.002.0", "11330105002500287C", 2),
        (
            f"{ROOT}.11100000000013338W087.11370800MB28559184.37080001202411010001.001.3",
            "11370800MB28559184",
            1,
        ),
    ],
)
def test_gb_t_36904_identifiers_of_real_licences_are_valid(
    identifier: str, issuer: str, version: int
) -> None:
    parsed = parse_licence_identifier(identifier)
    assert parsed.issuer is not None
    assert (parsed.value, parsed.issuer.value, parsed.version) == (identifier, issuer, version)
    assert compose_licence_identifier(parsed.type_code.value, issuer, parsed.serial, version) == identifier


def test_gb_t_36904_a_division_code_as_issuer_is_read_but_never_issued() -> None:
    parsed = parse_licence_identifier(f"{ROOT}.11100000MB03271699022.340100.000000016.001.9")
    assert (parsed.issuer, parsed.issuer_code) == (None, "340100")
    with pytest.raises(InvalidIdentifier):
        compose_licence_identifier("11100000MB03271699022", "340100", "000000016")


@pytest.mark.parametrize(
    ("identifier", "error"),
    [
        (f"{ROOT}.{TYPE}.{ISSUER}.20230000403.001.V", "licence_identifier_check"),
        (f"{ROOT}.{TYPE}.{ISSUER}.20230000403.1.U", "licence_identifier_version"),
        (f"{ROOT}.{TYPE}.{ISSUER}.20230000403.000.U", "licence_identifier_version"),
        (f"{ROOT}.{TYPE}.{ISSUER}.2023-0403.001.U", "licence_identifier_serial"),
        (f"1.2.156.3005.1.{TYPE}.{ISSUER}.20230000403.001.U", "licence_identifier_format"),
        (f"{ROOT}.{TYPE}.{ISSUER}.20230000403.001", "licence_identifier_format"),
        (f"{ROOT}.{TYPE[:20]}.{ISSUER}.20230000403.001.U", "licence_type_code_format"),
        (f"{ROOT}.{TYPE}.990100.20230000403.001.U", "area_code_province"),
    ],
)
def test_gb_t_36904_faults_are_refused_each_with_its_own_code(identifier: str, error: str) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        parse_licence_identifier(identifier)
    assert refusal.value.code == error


@pytest.mark.parametrize(
    "code",
    [
        "11100000000013127D001",
        "11100000000013338W001",
        "11100000000013338W011",
        "11100000000013338W032",
        "11100000MB03271699001",
        "11100000MB03271699022",
        "11100000000013338W009",
        "11100000000013338W050",
        "11100000000013338W064",
        "11100000000013338W087",
        "11100000MB03271699035",
        "1110000000001332XW059",
        "1110000000001332XW082",
    ],
)
def test_type_codes_seen_in_public_sources_are_valid(code: str) -> None:
    assert parse_licence_type_code(code).defining_authority.value == code[:18]


def test_a_reissued_licence_keeps_its_serial_and_raises_its_version() -> None:
    first = parse_licence_identifier(compose_licence_identifier(TYPE, ISSUER, "A1"))
    second = parse_licence_identifier(first.reissued())
    assert (first.version, second.version, second.serial) == (1, 2, "A1")


def test_version_999_is_the_last_one() -> None:
    last = parse_licence_identifier(compose_licence_identifier(TYPE, ISSUER, "A1", 999))
    with pytest.raises(InvalidIdentifier) as refusal:
        last.reissued()
    assert refusal.value.code == "licence_identifier_version"


@given(st.text(ALPHABET, min_size=1, max_size=32), st.integers(0, 31), st.sampled_from(ALPHABET))
def test_mod_37_36_detects_every_substitution_of_one_character(
    serial: str, place: int, character: str
) -> None:
    identifier = compose_licence_identifier(TYPE, ISSUER, serial)
    place %= len(serial)
    changed = serial[:place] + character + serial[place + 1 :]
    if changed != serial:
        with pytest.raises(InvalidIdentifier) as refusal:
            parse_licence_identifier(identifier.replace(f".{serial}.001", f".{changed}.001"))
        assert refusal.value.code == "licence_identifier_check"

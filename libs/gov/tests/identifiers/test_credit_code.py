"""GB 32100-2015 统一社会信用代码 and the GB 11714 code inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers import CreditCodeWarning, OrganisationKind, compose_credit_code, parse_credit_code
from gov_rules.identifiers.credit_code import organisation_check_character

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.mark.parametrize(
    ("code", "kind", "division"),
    [
        ("91350100M000100Y43", OrganisationKind.ENTERPRISE, "350100"),  # the standard's own example
        ("11430000006122244L", OrganisationKind.GOVERNMENT_ORGAN, "430000"),
        ("11100000MB0341032Y", OrganisationKind.GOVERNMENT_ORGAN, "100000"),
        ("91430100MA4TE5T13D", OrganisationKind.ENTERPRISE, "430100"),
        ("12441500196720244T", OrganisationKind.PUBLIC_INSTITUTION, "441500"),
    ],
)
def test_gb_32100_codes_are_valid_and_tell_their_parts(
    code: str, kind: OrganisationKind, division: str
) -> None:
    parsed = parse_credit_code(code)
    assert (parsed.value, parsed.kind, parsed.division) == (code, kind, division)
    assert parsed.organisation_code == code[8:17]
    assert parsed.warnings == ()


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("91350100M000100Y44", "credit_code_check"),
        ("91350100I000100Y43", "credit_code_format"),
        ("91350100M000100Y4", "credit_code_length"),
        ("9135010XM000100Y43", "credit_code_format"),
    ],
)
def test_gb_32100_faults_are_refused_each_with_its_own_code(code: str, error: str) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        parse_credit_code(code)
    assert refusal.value.code == error


def test_lower_case_letters_are_stored_upper_case() -> None:
    assert parse_credit_code("91350100m000100y43").value == "91350100M000100Y43"


@pytest.mark.parametrize(
    ("prefix", "kind"),
    [
        ("51", OrganisationKind.SOCIAL_GROUP),
        ("52", OrganisationKind.PRIVATE_NON_ENTERPRISE),
        ("53", OrganisationKind.FOUNDATION),
        ("92", OrganisationKind.SOLE_TRADER),
        ("93", OrganisationKind.FARMERS_COOPERATIVE),
        ("Y1", OrganisationKind.OTHER),  # an authority with a letter, which python-stdnum refuses
        ("N2", OrganisationKind.OTHER),
    ],
)
def test_gb_32100_the_first_two_characters_tell_the_kind(prefix: str, kind: OrganisationKind) -> None:
    assert parse_credit_code(compose_credit_code(prefix, "990301", "MA000001")).kind is kind


def test_gb_11714_a_wrong_inner_check_is_a_warning_and_no_refusal() -> None:
    valid = compose_credit_code("91", "990301", "MA000001")
    wrong_inner = valid[:16] + next(digit for digit in "0123" if digit != valid[16])
    code = next(wrong_inner + last for last in ALPHABET if _is_valid(wrong_inner + last))
    assert parse_credit_code(code).warnings == (CreditCodeWarning.ORGANISATION_CHECK,)


def test_an_authority_that_the_standard_does_not_list_is_a_warning() -> None:
    code = compose_credit_code("01", "990301", "MA000001")
    assert parse_credit_code(code).warnings == (CreditCodeWarning.UNKNOWN_AUTHORITY,)


@pytest.mark.parametrize(
    ("body", "check"), [("M000100Y", "4"), ("00612224", "4"), ("00001333", "8"), ("00001332", "X")]
)
def test_gb_11714_check_characters_of_real_organisations(body: str, check: str) -> None:
    assert organisation_check_character(body) == check


@pytest.mark.parametrize("organisation", ["MA00001", "MA00000O", "MA0000011"])
def test_a_code_is_not_composed_from_parts_of_wrong_shape(organisation: str) -> None:
    with pytest.raises(InvalidIdentifier):
        compose_credit_code("91", "990301", organisation)


codes = st.builds(
    lambda organisation: compose_credit_code("11", "990301", organisation),
    st.text(ALPHABET, min_size=8, max_size=8),
)


@given(codes, st.integers(0, 17), st.sampled_from(ALPHABET))
def test_modulus_31_detects_every_substitution_of_one_character(
    code: str, place: int, character: str
) -> None:
    changed = code[:place] + character + code[place + 1 :]
    assert (changed == code) == _is_valid(changed)


@given(codes, st.integers(0, 16))
def test_modulus_31_detects_every_swap_of_neighbours(code: str, place: int) -> None:
    changed = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    assert (changed == code) == _is_valid(changed)


def _is_valid(code: str) -> bool:
    try:
        parse_credit_code(code)
    except InvalidIdentifier:
        return False
    return True

"""Document numbers in the form of GB/T 9704-2012 §7.2.5."""

import pytest

from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers import compose_document_number, parse_document_number


def test_gb_t_9704_a_document_number_has_hexagonal_brackets_and_is_read_back() -> None:
    number = compose_document_number("岳麓市监", "受理", 2026, 12)
    assert number == "岳麓市监受理〔2026〕第12号"
    parsed = parse_document_number(number)
    assert (parsed.series, parsed.year, parsed.serial) == ("岳麓市监受理", 2026, 12)


@pytest.mark.parametrize(
    "number",
    [
        "岳麓市监受理[2026]第12号",
        "岳麓市监受理（2026）第12号",
        "岳麓市监受理〔26〕第12号",
        "岳麓市监受理〔2026〕第012号",
        "岳麓市监受理〔2026〕第0号",
        "〔2026〕第12号",
    ],
)
def test_gb_t_9704_other_brackets_short_years_and_leading_zeros_are_refused(number: str) -> None:
    with pytest.raises(InvalidIdentifier) as refusal:
        parse_document_number(number)
    assert refusal.value.code == "document_number_format"

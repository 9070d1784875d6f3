import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates_service.signing.domain import (
    NotALicenceDocument,
    all_signed,
    disclose,
    join,
    new_salt,
    payload_with,
    take_apart,
)


def test_the_digest_is_that_of_the_example_in_the_standard() -> None:
    # RFC 9901 §4.2.3: the disclosure of `family_name` and its digest.
    document = take_apart("jws~WyI2cU1RdlJMNWhhaiIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0~")
    [disclosure] = document.disclosures
    assert (disclosure.name, disclosure.value) == ("family_name", "Möbius")
    assert disclosure.digest == "uutlBuYeMDyjLLTpf6Jxi7yNkEF35jdyWMn9U7b_RYY"


@given(st.dictionaries(st.text(min_size=1, max_size=10), st.text(max_size=40), max_size=8))
def test_a_document_taken_apart_says_what_was_put_in(fields: dict[str, str]) -> None:
    disclosures = [disclose(name, value, salt=new_salt()) for name, value in fields.items()]
    payload = payload_with({"jti": "x"}, disclosures)
    parts = take_apart(join("jws", disclosures))
    assert {one.name: one.value for one in parts.disclosures} == fields
    assert all_signed(parts.disclosures, payload)


def test_a_field_left_out_still_verifies() -> None:
    disclosures = [disclose(name, "v", salt=new_salt()) for name in ("a", "b", "c")]
    assert all_signed(disclosures[:1], payload_with({}, disclosures))


def test_a_field_that_was_not_signed_does_not_verify() -> None:
    signed = disclose("a", "v", salt="s")
    for other in (disclose("a", "w", salt="s"), disclose("b", "v", salt="s")):
        assert not all_signed([other], payload_with({}, [signed]))


def test_a_field_shown_twice_does_not_verify() -> None:
    signed = disclose("a", "v", salt="s")
    assert not all_signed([signed, signed], payload_with({}, [signed]))


def test_equal_values_have_different_digests() -> None:
    assert disclose("a", "v", salt=new_salt()).digest != disclose("a", "v", salt=new_salt()).digest


@pytest.mark.parametrize("text", ["", "abc", "~", "jws~###~", "jws~WzFd~", "jws~x", "jws~WyJzIiwxLDJd~"])
def test_what_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(NotALicenceDocument):
        take_apart(text)


@given(st.text(max_size=60))
def test_no_text_makes_reading_fail_otherwise(text: str) -> None:
    with contextlib.suppress(NotALicenceDocument):
        take_apart(text)

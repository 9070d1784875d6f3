import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_common.crypto import KeyRing, UnreadableValue

OLD, NEW, INDEX = b"o" * 32, b"n" * 32, b"i" * 32


@given(st.text())
def test_what_is_sealed_can_be_opened_and_does_not_show(text: str) -> None:
    ring = KeyRing({1: OLD}, INDEX)
    sealed = ring.encrypt(text, column="persons.name")
    assert ring.decrypt(sealed, column="persons.name") == text
    assert len(text) < 4 or text.encode() not in sealed


def test_rotation_keeps_old_values_readable_and_seals_with_the_newest() -> None:
    before = KeyRing({1: OLD}, INDEX).encrypt("x", column="c")
    ring = KeyRing({2: NEW, 1: OLD}, INDEX)
    assert ring.decrypt(before, column="c") == "x"
    assert KeyRing.key_id(ring.encrypt("x", column="c")) == 2
    with pytest.raises(UnreadableValue):
        KeyRing({2: NEW}, INDEX).decrypt(before, column="c")


def test_a_value_moved_to_another_column_or_changed_does_not_open() -> None:
    ring = KeyRing({1: OLD}, INDEX)
    sealed = ring.encrypt("x", column="persons.name")
    for tampered, column in [
        (sealed, "persons.phone"),
        (sealed[:-1] + bytes([sealed[-1] ^ 1]), "persons.name"),
        (b"", "persons.name"),
    ]:
        with pytest.raises(UnreadableValue):
            ring.decrypt(tampered, column=column)


def test_the_blind_index_finds_equal_values_of_one_column_only() -> None:
    ring = KeyRing({1: OLD}, INDEX)
    assert ring.blind_index("a", column="c") == ring.blind_index("a", column="c")
    assert ring.blind_index("a", column="c") != ring.blind_index("a", column="d")
    assert ring.blind_index("a", column="c") != KeyRing({1: OLD}, NEW).blind_index("a", column="c")


def test_a_ring_is_read_from_its_setting() -> None:
    one, two, index = (base64.b64encode(key).decode() for key in (OLD, NEW, INDEX))
    assert KeyRing.parse(f"7:{two},1:{one}", index).newest == 7
    with pytest.raises(ValueError, match="32 bytes"):
        KeyRing({1: b"short"}, INDEX)

"""Who a token says is calling."""

import pytest

from service_common.auth import NotAPerson, caller_from_claims

PERSON = "00000000-0000-7000-8000-000000000001"


def test_a_person_has_the_id_of_its_token() -> None:
    caller = caller_from_claims({"sub": PERSON, "subject_type": "person", "client_id": "app"})
    assert str(caller.person_id) == PERSON


@pytest.mark.parametrize(
    ("subject", "kind"), [(PERSON, "staff"), ("acceptance", "client"), ("k3vQ0pairwise", "person")]
)
def test_whoever_has_no_person_id_is_refused_and_not_a_fault_of_ours(subject: str, kind: str) -> None:
    caller = caller_from_claims({"sub": subject, "subject_type": kind, "client_id": "app"})
    with pytest.raises(NotAPerson):
        _ = caller.person_id

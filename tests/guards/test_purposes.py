"""What our services look at people's data for stands in people's own log, in words."""

import re
from pathlib import Path

from identity_service.profiles.domain import LEGAL_BASES, PURPOSE_LABELS

SERVICES = Path(__file__).resolve().parents[2] / "services"
_NAMED = re.compile(r"""\bpurpose(?: |: str )?= ?"([A-Za-z_]+)\"""")


def test_every_purpose_of_ours_has_a_label_and_a_legal_basis() -> None:
    named = {name for file in SERVICES.glob("*/src/**/*.py") for name in _NAMED.findall(file.read_text())}
    assert {"PREFILL", "CASE_HANDLING", "LICENCE_ISSUE"} <= named
    assert named <= PURPOSE_LABELS.keys() & LEGAL_BASES.keys()

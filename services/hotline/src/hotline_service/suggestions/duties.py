"""The duty list's file: topics, kinds of departments, the words by which both are known."""

import json
from pathlib import Path

from hotline_service.suggestions.domain import Duty, DutyList


def load_duty_list(file: Path) -> DutyList:
    """Reads the list. Raises: KeyError when a topic names a kind that is not described."""
    stored = json.loads(file.read_text(encoding="utf-8"))
    kinds = {
        code: Duty(code, tuple(one["name_words"]), tuple(one["cues"]))
        for code, one in stored["kinds"].items()
    }
    return DutyList(
        {topic: tuple(kinds[code] for code in codes) for topic, codes in stored["topics"].items()}
    )

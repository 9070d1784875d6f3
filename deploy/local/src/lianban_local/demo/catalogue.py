"""The catalogue: imported by one operator, reviewed and published by another, as any catalogue must be."""

import asyncio
import hashlib
import time
from pathlib import Path
from typing import Any

from lianban_local.demo.app import Refused, SignedIn
from lianban_local.deployables import ROOT

EDITOR_SCOPE = "acceptance:catalogue.edit acceptance:catalogue.read"
REVIEWER_SCOPE = "acceptance:catalogue.review acceptance:catalogue.read"

_DATA = ROOT / "data" / "catalogue"
_IMPORTS = "/acceptance/v1/catalogue/imports"
# How long acceptance may take to hear of the departments from identity.
_DEPARTMENTS_SECONDS = 60.0
_NOTE = "演示目录：编者按来源逐条核对，汇编内容见 origin。"


async def seed(editor: SignedIn, reviewer: SignedIn) -> None:
    """Safe to run twice: an unchanged file has its earlier import, and what is published stays."""
    await _load_and_publish(editor, reviewer, "departments", _DATA / "departments.json")
    await _load_and_publish(editor, reviewer, "themes", _DATA / "themes.csv")
    await _load_and_publish(editor, reviewer, "synonyms", _DATA / "synonyms.csv")
    for file in sorted((_DATA / "items").glob("*.jsonl")):
        await _load_and_publish(editor, reviewer, "items", file)
    for file in sorted((_DATA / "bundles").glob("*.json")):
        await _load_and_publish(editor, reviewer, "bundle", file)


async def _load(editor: SignedIn, kind: str, file: Path) -> dict[str, Any]:
    content = await asyncio.to_thread(file.read_bytes)
    answer = await editor.call(
        "POST", f"{_IMPORTS}?kind={kind}", content=content, key=hashlib.sha256(content).hexdigest()
    )
    loaded: dict[str, Any] = answer.json()
    # A repeated key answers with the states of then.
    fresh: dict[str, Any] = await editor.get(f"{_IMPORTS}/{loaded['id']}")
    return fresh


async def _load_and_publish(editor: SignedIn, reviewer: SignedIn, kind: str, file: Path) -> None:
    loaded = await _load(editor, kind, file)
    steps = [
        ("DRAFT", editor, "submit-review"),
        ("IN_REVIEW", reviewer, "approve"),
        ("APPROVED", reviewer, "publish"),
    ]
    for state, operator, action in steps:
        if loaded["states"].get(state):
            loaded = await _when_departments_are_known(operator, f"{_IMPORTS}/{loaded['id']}/{action}")


async def _when_departments_are_known(operator: SignedIn, path: str) -> dict[str, Any]:
    give_up = time.monotonic() + _DEPARTMENTS_SECONDS
    while True:
        try:
            done: dict[str, Any] = await operator.post(path, {"note": _NOTE})
        except Refused as refusal:
            on_its_way = (
                refusal.answer.status_code == 409 and refusal.answer.json()["code"] == "departments_unknown"
            )
            if not on_its_way or time.monotonic() > give_up:
                raise
            await asyncio.sleep(0.3)
        else:
            return done

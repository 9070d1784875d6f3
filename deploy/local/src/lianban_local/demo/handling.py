"""What departments do with the cases of an application: through their inbox, or by their own system."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid5

from lianban_local.demo.app import Refused, SignedIn

APPROVER_SCOPE = (
    "openid offline_access acceptance:cases.read acceptance:cases.read-form acceptance:cases.handle acceptance:cases.decide "
    "certificates:licences.verify certificates:licences.manage certificates:licences.read hotline:tickets.read "
    "hotline:tickets.handle evaluation:rectifications.read evaluation:rectifications.handle"
)
_CASES = "/acceptance/v1/cases"


# From each state to the next, until the decision: the action, and what is said with it.
_STEPS: dict[str, tuple[str, dict[str, Any] | None]] = {
    "SUBMITTED": ("receive", None),
    "RECEIVED": ("accept", {"mode": "REGULAR"}),
    "ACCEPTED": ("review", None),
    "REVIEWING": ("decide", {"outcome": "APPROVED"}),
}
DECIDED = frozenset({"DECIDED_APPROVED", "DECIDED_REJECTED", "CERTIFYING", "DELIVERING", "FINISHED"})


async def decide(department: SignedIn, case_id: str) -> None:
    """Takes a case from the inbox to its decision. Harmless to begin again at any point."""
    await _claim(department, case_id)
    while True:
        answer = await department.call("GET", f"{_CASES}/{case_id}")
        case = answer.json()
        step = _STEPS.get(case["status"])
        if step is None:
            return
        action, body = step
        mode = case.get("promise") and {"mode": "PROMISE"}
        headers = {"If-Match": answer.headers["etag"]} if action == "decide" else {}
        try:
            await department.call(
                "POST", f"{_CASES}/{case_id}/{action}", json=mode if mode and action == "accept" else body,
                headers=headers, key=_key(case, action),
            )  # fmt: skip
        except Refused as refusal:
            # Somebody, or the system itself, was quicker: look again.
            if refusal.answer.status_code not in (409, 412):
                raise
            await asyncio.sleep(0.1)


async def _claim(department: SignedIn, case_id: str) -> None:
    try:
        await department.post(f"{_CASES}/{case_id}/claim", key=f"claim-{case_id}")
    except Refused as refusal:
        if refusal.answer.status_code != 409:
            raise


def _key(case: dict[str, Any], action: str) -> str:
    """The same for every repetition of the same step on the same version."""
    return str(uuid5(UUID(case["id"]), f"{action}-{case['version']}"))


async def until(
    look: Callable[[], Awaitable[Any]], good: Callable[[Any], bool], what: str, patience: float = 60.0
) -> Any:
    """Looks until it is good. Raises: TimeoutError."""
    give_up = time.monotonic() + patience
    pause = 0.1
    while True:
        seen = await look()
        if good(seen):
            return seen
        if time.monotonic() > give_up:
            raise TimeoutError(f"{what}: last seen {str(seen)[:800]}")
        await asyncio.sleep(pause)
        pause = min(pause * 1.3, 1.0)

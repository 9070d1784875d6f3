"""Values that identity has verified, and that a form may not contradict: name and number of who applies. Pure.

At prefill a keyed digest of each is kept with the application. Handing in compares the form with it and asks nobody: identity
may be away then, and a submission waits for no call.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from service_common.errors import Conflict, FieldProblem, Invalid

# These values are the identity itself: what the register says may not be overwritten (catalogue rules, "Prefill").
LOCKED = frozenset({"person.name", "person.id_number", "legal_person.name", "legal_person.uscc"})
# What was verified longer ago may have changed at the register: a name, a representative's number.
FRESH_FOR = timedelta(hours=24)

_NOT_VERIFIED = ""  # identity answered, and has no such verified value: then the form may say what it likes

Digest = Callable[[str, str], str]
"""Of a profile field and its value, with a key: who reads the database learns neither."""


class PrefillNeeded(Conflict):
    """What may not be contradicted was never asked for, or too long ago."""

    code = "prefill_needed"
    zh = "表单中有须与实名信息一致的内容，请先获取预填信息（或重新获取）并核对后再提交。"
    en = "Some fields must agree with the verified profile: fetch the prefill (again), compare, then hand in."


class LockedValuesChanged(Invalid):
    """The form says something else than identity."""

    code = "locked_values_changed"
    zh = "以下内容来自实名核验信息，不能修改；信息有变化的，请重新获取预填信息。"
    en = "These values come from the verified profile and cannot be changed; if they are outdated, fetch the prefill again."


def locked_fields(schema: Mapping[str, Any]) -> dict[str, str]:
    """Fields of a form that take over a locked value, and which one: ``{"applicant_name": "person.name"}``."""
    sources = {
        name: str(one.get("x-prefill", "")).removeprefix("identity.")
        for name, one in schema.get("properties", {}).items()
    }
    return {name: source for name, source in sources.items() if source in LOCKED}


def remember(
    known: Mapping[str, Any] | None,
    asked: Collection[str],
    verified: Mapping[str, str],
    unanswered: Collection[str],
    *,
    digest: Digest,
    now: datetime,
) -> dict[str, Any]:
    """What is kept of an answer: where identity did not answer, what was known before goes on holding."""
    values = dict((known or {}).get("values", {}))
    for source in LOCKED.intersection(asked):
        if source in unanswered:
            values.setdefault(source, None)
        else:
            value = verified.get(source)
            values[source] = digest(source, _plain(value)) if value else _NOT_VERIFIED
    return {"at": now.isoformat(), "values": values}


def check_locked(
    schema: Mapping[str, Any],
    form: Mapping[str, Any],
    known: Mapping[str, Any] | None,
    *,
    digest: Digest,
    fresh_at: datetime | None = None,
) -> None:
    """Refuses a form that contradicts a verified value; what identity could not be asked about is let through.

    With ``fresh_at`` the values must have been asked for within ``FRESH_FOR`` of it.
    Raises: PrefillNeeded, LockedValuesChanged.
    """
    wanted = {name: source for name, source in locked_fields(schema).items() if name in form}
    values: Mapping[str, str | None] = (known or {}).get("values", {})
    stale = known is None or (
        fresh_at is not None and fresh_at - datetime.fromisoformat(known["at"]) > FRESH_FOR
    )
    lacking = sorted(name for name, source in wanted.items() if stale or source not in values)
    if lacking:
        raise PrefillNeeded(
            fields=[
                FieldProblem(f"/form/{name}", "not_verified_lately", "须与实名信息核对", "To be verified")
                for name in lacking
            ]
        )
    changed = [
        name
        for name, source in wanted.items()
        if values[source] not in (None, _NOT_VERIFIED, digest(source, _plain(form[name])))
    ]
    if changed:
        raise LockedValuesChanged(fields=[_problem(schema, name) for name in sorted(changed)])


def unverified_fields(
    schema: Mapping[str, Any], form: Mapping[str, Any], known: Mapping[str, Any] | None
) -> list[str]:
    """Fields that should agree with the verified profile, and were let through while identity did not answer."""
    values: Mapping[str, str | None] = (known or {}).get("values", {})
    locked = locked_fields(schema)
    return sorted(name for name in locked.keys() & form.keys() if values.get(locked[name], "") is None)


def _problem(schema: Mapping[str, Any], name: str) -> FieldProblem:
    title = schema["properties"][name].get("title", name)
    return FieldProblem(
        f"/form/{name}",
        "locked_value_changed",
        f"“{title}”与实名核验信息不一致",
        f"{title} differs from the verified profile",
    )


def _plain(value: Any) -> str:
    """A final x of a number is written small by some."""
    return str(value).strip().upper()

"""What an applicant does with any bundle: answer, fill in, attach what is still asked for, hand in."""

import hashlib
import re
import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from lianban_local.demo.app import SignedIn

SCOPE = (
    "openid offline_access identity:me.read identity:me.verify identity:inbox identity:legal-persons.read "
    "acceptance:applications.read acceptance:applications.write acceptance:files.write acceptance:history.read "
    "acceptance:cases.read certificates:licences.read certificates:licences.present evaluation:reviews.write "
    "hotline:tickets.create hotline:tickets.read gateway:home.read"
)

_ACCEPTANCE = "/acceptance/v1"
Answers = Mapping[str, str | list[str]]


@dataclass
class Handed:
    """An application as its applicant knows it after handing it in."""

    id: str
    number: str
    query_number: str
    query_password: str
    cases: list[dict[str, Any]]
    uploads: int
    waived: int


async def begin(
    applicant: SignedIn,
    bundle_code: str,
    division: str,
    answers: Answers,
    holder: dict[str, str],
    *,
    in_addition: bool = False,
) -> dict[str, Any]:
    """A draft."""
    body = {
        "bundle_code": bundle_code,
        "division": division,
        "applicant": holder,
        "answers": dict(answers),
        "in_addition": in_addition,
    }
    draft: dict[str, Any] = await applicant.post(f"{_ACCEPTANCE}/applications", body)
    return draft


async def complete(applicant: SignedIn, application_id: str, plan: dict[str, Any]) -> tuple[int, int]:
    """Takes over what the government holds, fills in the rest, uploads what is left. Returns uploads and waivers."""
    path = f"{_ACCEPTANCE}/applications/{application_id}"
    known = await applicant.get(f"{path}/prefill")
    prefilled = {name: field["value"] for name, field in known["fields"].items()}
    form = {**invent(plan["form_schema"]), **prefilled}
    await applicant.call("PUT", f"{path}/form", json={"form": form})
    if plan["promises"]:
        await applicant.call("PATCH", path, json={"promises": plan["promises"]})
    uploads = waived = 0
    for material in plan["materials"]:
        way = _way(material, known["materials"], plan["promises"])
        if way is None:
            waived += 1
            continue
        if way["way"] == "FILES":
            way["file_ids"] = [await upload(applicant, material["code"])]
            uploads += 1
        else:
            waived += 1
        await applicant.call("PUT", f"{path}/materials/{material['code']}", json=way)
    return uploads, waived


async def hand_in(applicant: SignedIn, application_id: str, key: str | None = None) -> dict[str, Any]:
    """The receipt. Repeating it with the same key answers with the same receipt."""
    receipt: dict[str, Any] = await applicant.post(
        f"{_ACCEPTANCE}/applications/{application_id}/submit", key=key
    )
    return receipt


async def apply(
    applicant: SignedIn,
    bundle_code: str,
    division: str,
    answers: Answers,
    holder: dict[str, str],
    *,
    in_addition: bool = False,
) -> Handed:
    """From the first answer to the receipt."""
    draft = await begin(applicant, bundle_code, division, answers, holder, in_addition=in_addition)
    plan = await plan_of(applicant, bundle_code, division, answers, holder["kind"])
    uploads, waived = await complete(applicant, draft["id"], plan)
    receipt = await hand_in(applicant, draft["id"])
    return Handed(
        id=draft["id"],
        number=receipt["application"]["number"],
        query_number=receipt["query_number"],
        query_password=receipt["query_password"],
        cases=receipt["cases"],
        uploads=uploads,
        waived=waived,
    )


async def plan_of(
    applicant: SignedIn, bundle_code: str, division: str, answers: Answers, applicant_kind: str
) -> dict[str, Any]:
    """What the path of these answers consists of."""
    body = {"answers": dict(answers), "division": division, "applicant_kind": applicant_kind}
    plan: dict[str, Any] = await applicant.post(f"{_ACCEPTANCE}/bundles/{bundle_code}/plan", body)
    return plan


def _way(
    material: dict[str, Any], waivers: dict[str, dict[str, Any]], promises: list[str]
) -> dict[str, Any] | None:
    """How to provide a material: by what is held already, by a promise, else by a file. None: nothing is asked."""
    if material["status"] == "WAIVED":
        return None
    code = material["code"]
    if code in waivers:
        way: dict[str, Any] = {"way": waivers[code]["way"]}
        if waivers[code].get("licence_id"):
            way["licence_id"] = waivers[code]["licence_id"]
        return way
    for other in material["can_be_replaced_by"]:
        if other["kind"].upper() == "PROMISE" and other["promise"] in promises:
            return {"way": "PROMISE", "promise": other["promise"]}
    return {"way": "FILES"} if material["status"] == "REQUIRED" else None


async def upload(applicant: SignedIn, name: str) -> str:
    """A small picture, another one for each name. Returns its id."""
    # Encoded once: a repetition must be the same request, and each encoding would have a boundary of its own.
    form = httpx.Request("POST", "http://any", files={"file": (f"{name}.png", picture(name), "image/png")})
    answer = await applicant.call(
        "POST",
        f"{_ACCEPTANCE}/files",
        content=form.read(),
        headers={"Content-Type": form.headers["content-type"]},
    )
    file_id: str = answer.json()["id"]
    return file_id


def picture(name: str) -> bytes:
    """A valid PNG of one pixel whose colour comes from the name."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    colour = hashlib.sha256(name.encode()).digest()[:3]
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"\x00" + colour)), chunk(b"IEND", b""))
    )


def invent(schema: dict[str, Any]) -> dict[str, Any]:
    """A form that a JSON Schema accepts, with an answer in every required field."""
    required = schema.get("required", [])
    return {name: _value(schema["properties"][name]) for name in required}


def _value(field: dict[str, Any]) -> Any:
    for fixed in ("const", "default"):
        if fixed in field:
            return field[fixed]
    if "enum" in field:
        return field["enum"][0]
    return _MAKERS[field["type"]](field)


def _number(field: dict[str, Any]) -> Any:
    least = field.get("minimum", field.get("exclusiveMinimum", 0))
    return min(least + 1, field.get("maximum", least + 1))


_TEXTS = (
    "示例内容", "19900000001", "990101199001010019", "91990301MA0000A19H", "2026-11-20", "2026", "湘A00001", "430300", "100",
    "演示开户行000001", "0731-0000000", "6200000000000000001",
)  # fmt: skip


def _text(field: dict[str, Any]) -> str:
    """The first sample that fits; stretched to the least length."""
    if field.get("format") == "date":
        return "2026-11-20"
    pattern = field.get("pattern")
    for text in _TEXTS:
        long_enough = (
            text + "示例" * max(0, (field.get("minLength", 0) - len(text) + 1) // 2) if not pattern else text
        )
        fits = pattern is None or re.search(pattern, long_enough)
        if fits and len(long_enough) <= field.get("maxLength", 10_000):
            return long_enough
    raise ValueError(f"no sample fits {field}")


_MAKERS: Mapping[str, Callable[[dict[str, Any]], Any]] = {
    "array": lambda field: [_value(field["items"])],
    "boolean": lambda _field: True,
    "integer": _number,
    "number": _number,
    "object": invent,
    "string": _text,
}

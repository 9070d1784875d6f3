"""A licence as a signed document in the form of SD-JWT (RFC 9901), with every surface field apart.

``<JWS>~<disclosure>~<disclosure>~``: the signature covers salted digests of the fields, not the fields, so that a copy with some
disclosures left out still verifies. Whoever has our public keys can check a document without asking us; only the
status of the moment has to be asked for.
"""

import base64
import binascii
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from service_common.errors import Invalid

HASH_NAME = "sha-256"
_SALT_BYTES = 16  # RFC 9901 §9.3: at least 128 bits


class NotALicenceDocument(Invalid):
    """It cannot be read as ``JWS~disclosure~…~``."""

    code = "not_a_licence_document"
    zh = "内容不是电子证照文件。"
    en = "This is not a licence document."


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One field, salted: ``encoded`` travels in the document, ``digest`` stands in the signed payload."""

    name: str
    value: Any
    encoded: str
    digest: str


@dataclass(frozen=True, slots=True)
class LicenceDocument:
    """A document taken apart, not verified yet."""

    jws: str
    disclosures: tuple[Disclosure, ...]


def new_salt() -> str:
    """Makes the digest of a guessable value unguessable."""
    return _encode(secrets.token_bytes(_SALT_BYTES))


def disclose(name: str, value: Any, *, salt: str) -> Disclosure:
    """Source: RFC 9901 §4.2.1."""
    text = json.dumps([salt, name, value], ensure_ascii=False)
    return _disclosure(name, value, _encode(text.encode()))


def payload_with(claims: Mapping[str, Any], disclosures: Sequence[Disclosure]) -> dict[str, Any]:
    """The claims with the digests of the fields; sorted, so that their order tells nothing (RFC 9901 §4.2.4.1)."""
    return {**claims, "_sd_alg": HASH_NAME, "_sd": sorted(one.digest for one in disclosures)}


def join(jws: str, disclosures: Sequence[Disclosure]) -> str:
    """The document in its compact form, without key binding (RFC 9901 §4)."""
    return "~".join([jws, *(one.encoded for one in disclosures), ""])


def take_apart(document: str) -> LicenceDocument:
    """Raises: NotALicenceDocument."""
    jws, *encoded, last = document.strip().split("~") if "~" in document else ("", "")
    if not jws or last:
        raise NotALicenceDocument
    return LicenceDocument(jws, tuple(_read_disclosure(one) for one in encoded))


def all_signed(disclosures: Sequence[Disclosure], payload: Mapping[str, Any]) -> bool:
    """Whether each field shown is one of those signed, and none is shown twice (RFC 9901 §7.1)."""
    digests = [one.digest for one in disclosures]
    return len(set(digests)) == len(digests) and set(digests) <= set(payload.get("_sd", ()))


def _read_disclosure(encoded: str) -> Disclosure:
    try:
        parts = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:  # the last: brackets within brackets
        raise NotALicenceDocument from error
    if not isinstance(parts, list) or len(parts) != 3 or not isinstance(parts[1], str):
        raise NotALicenceDocument
    return _disclosure(parts[1], parts[2], encoded)


def _disclosure(name: str, value: Any, encoded: str) -> Disclosure:
    return Disclosure(name, value, encoded, _encode(hashlib.sha256(encoded.encode()).digest()))


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

"""The ``claims`` parameter (OpenID Connect Core §5.5): single claims instead of a whole scope."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

CLAIM_SCOPES = {
    "name": "profile",
    "preferred_username": "profile",
    "phone_number": "phone",
    "phone_number_verified": "phone",
}
"""The claims that are told of people, and the scope that each belongs to: who may not have that may not have the claim."""

_LONGEST = 4000


@dataclass(frozen=True, slots=True)
class AskedClaims:
    """What a request asks for by name. Of what it demands of values, ``sub`` concerns us, and an essential ``acr`` (§5.5.1.1).

    ``levels``: of these the ID token must name one; None when that is left to us, or to ``acr_values``.
    """

    id_token: tuple[str, ...] = ()
    userinfo: tuple[str, ...] = ()
    subject: str | None = None
    levels: tuple[str, ...] | None = None

    @classmethod
    def parse(cls, text: str | None) -> "AskedClaims":
        """Reads the parameter; claims that we do not have are ignored (§5.5.1). Raises: ValueError."""
        if not text:
            return cls()
        if len(text) > _LONGEST:
            raise ValueError("claims")
        try:
            asked = json.loads(text)
        except RecursionError as error:
            raise ValueError("claims") from error
        of_token, of_userinfo = _members(asked, "id_token"), _members(asked, "userinfo")
        subjects = [
            wish["value"]
            for wish in (of_token.get("sub"), of_userinfo.get("sub"))
            if wish and "value" in wish
        ]
        if any(not isinstance(one, str) or one != subjects[0] for one in subjects):
            raise ValueError("claims")
        return cls(
            tuple(name for name in CLAIM_SCOPES if name in of_token),
            tuple(name for name in CLAIM_SCOPES if name in of_userinfo),
            subjects[0] if subjects else None,
            _essential_levels(of_token.get("acr")),
        )

    @property
    def scopes(self) -> frozenset[str]:
        """What a person must allow for all of it."""
        return frozenset(CLAIM_SCOPES[name] for name in (*self.id_token, *self.userinfo))

    def within(self, scopes: Collection[str]) -> dict[str, Any] | None:
        """What of it may be told, as a grant remembers it; None when that is nothing."""
        kept = {
            place: [name for name in names if CLAIM_SCOPES[name] in scopes]
            for place, names in (("id_token", self.id_token), ("userinfo", self.userinfo))
        }
        if self.levels:
            kept["levels"] = list(self.levels)
        return kept if any(kept.values()) else None


def _essential_levels(wish: dict[str, Any] | None) -> tuple[str, ...] | None:
    """The values that an essential claim must have one of. Raises: ValueError."""
    if not wish or wish.get("essential") is not True or not {"value", "values"} & wish.keys():
        return None
    values = wish["values"] if "values" in wish else [wish["value"]]
    if not isinstance(values, list) or not all(isinstance(one, str) for one in values):
        raise ValueError("claims")
    return tuple(values)


def _members(asked: Any, place: str) -> dict[str, Any]:
    """The claims asked for in one place. Raises: ValueError for what is not an object of objects or nulls."""
    if not isinstance(asked, dict):
        raise ValueError("claims")  # noqa: TRY004 - one kind of error for whatever is wrong with the text
    wanted = asked.get(place)
    if wanted is None:
        return {}
    if not isinstance(wanted, dict) or any(not isinstance(one, dict | None) for one in wanted.values()):
        raise ValueError("claims")
    return wanted

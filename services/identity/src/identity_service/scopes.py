"""The scopes of all services, and those of OpenID Connect: who may be granted which."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from service_common.auth import SCOPES

_AUDIENCE = "urn:lianban:"
_OWN_SERVICE = "identity"
_STAFF = frozenset({"clerk", "approver", "hotline_agent", "supervisor", "operator"})
_PERSONS = frozenset({"citizen", "company_agent"})


class ScopeEntry(BaseModel):
    """One scope as services export it under ``x-lianban-scopes``."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    zh: str
    en: str
    roles: frozenset[str]

    @property
    def service(self) -> str:
        """Whose scope it is; those of OpenID Connect are ours."""
        return self.name.split(":", 1)[0] if ":" in self.name else _OWN_SERVICE


EVERYBODY = _PERSONS | _STAFF
"""Roles of persons and of staff: what everybody who has an account may do with it."""

OPENID_SCOPES = (
    ScopeEntry(name="openid", zh="登录", en="Sign you in", roles=_PERSONS | _STAFF),
    ScopeEntry(name="profile", zh="您的姓名", en="Your name", roles=_PERSONS | _STAFF),
    ScopeEntry(name="phone", zh="您的手机号码", en="Your phone number", roles=_PERSONS),
    ScopeEntry(name="offline_access", zh="在您退出后保持登录", en="Stay signed in", roles=_PERSONS | _STAFF),
)

OPENID_NAMES = frozenset(entry.name for entry in OPENID_SCOPES)


@dataclass(frozen=True)
class ScopeCatalogue:
    """Every scope that can be granted."""

    entries: Mapping[str, ScopeEntry]
    _of_roles: dict[frozenset[str], frozenset[str]] = field(default_factory=dict, repr=False, compare=False)
    """Answers given before: every token asks for those of one of a few sets of roles."""

    @classmethod
    def load(cls, file: Path | None) -> "ScopeCatalogue":
        """From the file that is exported from all services' OpenAPI; without one, identity's own scopes alone."""
        own = [
            ScopeEntry(name=one.name, zh=one.zh, en=one.en, roles=one.roles)
            for one in SCOPES.values()
            if one.service == _OWN_SERVICE
        ]
        exported = TypeAdapter(list[ScopeEntry]).validate_python(json.loads(file.read_text())) if file else []
        # Our own declarations win: a file of yesterday must not give back a role that was taken away here.
        merged = {entry.name: entry for entry in (*exported, *own, *OPENID_SCOPES)}
        return cls(dict(sorted(merged.items())))

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self.entries)

    def grantable(self, roles: Iterable[str]) -> frozenset[str]:
        """The scopes that somebody with these roles may be granted."""
        held = frozenset(roles)
        names = self._of_roles.get(held)
        if names is None:
            names = frozenset(name for name, entry in self.entries.items() if entry.roles & held)
            self._of_roles[held] = names
        return names

    def audiences(self, names: Iterable[str]) -> list[str]:
        """The services that these scopes belong to, as ``aud`` names them."""
        services = {self.entries[name].service for name in names if name in self.entries}
        return [f"{_AUDIENCE}{service}" for service in sorted(services)]

    def of_resource(self, resource: str) -> frozenset[str]:
        """The scopes of one service, named as in ``aud`` (RFC 8707), with those of OpenID Connect; empty if unknown."""
        service = resource.removeprefix(_AUDIENCE)
        own = {name for name, entry in self.entries.items() if ":" in name and entry.service == service}
        if not resource.startswith(_AUDIENCE) or not own:
            return frozenset()
        return frozenset(own | {entry.name for entry in OPENID_SCOPES})

"""Who calls, and what a route asks of the caller.

A route declares its scope: ``caller: Annotated[Caller, require(CASES_DECIDE)]``. Scopes are exported with OpenAPI, and identity
grants them by role. The scope is the role check only; every handler checks the object as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes

from service_common.errors import Forbidden, Unauthenticated
from service_common.timeline import Actor
from service_common.tokens import TokenVerifier


class MissingScope(Forbidden):
    """The token does not carry the scope (RFC 6750 §3.1 insufficient_scope)."""

    code = "insufficient_scope"
    zh = "登录凭证缺少权限：{scope}。"
    en = "The access token lacks the scope {scope}."


class NotAPerson(Forbidden):
    """Only a natural person can do this."""

    code = "not_a_person"
    zh = "此操作只能由自然人账号进行。"
    en = "Only a natural person can do this."


class NotStaff(Forbidden):
    """Only staff can do this."""

    code = "not_staff"
    zh = "此操作只能由工作人员进行。"
    en = "Only staff can do this."


class TrustLevelTooLow(Forbidden):
    """A higher real-name level is needed (RFC 9470)."""

    code = "insufficient_user_authentication"
    zh = "此操作需要实名等级 {needed} 级，您当前为 {current} 级，请先完成认证。"
    en = "This needs trust level {needed}, yours is {current}: verify your identity first."


@dataclass(frozen=True, slots=True)
class Scope:
    """A permission of one service. ``roles`` says which kinds of caller identity may grant it to."""

    name: str
    zh: str
    en: str
    roles: frozenset[str]

    @property
    def service(self) -> str:
        return self.name.split(":", 1)[0]


SCOPES: dict[str, Scope] = {}


def scope(name: str, *, zh: str, en: str, roles: Iterable[str]) -> Scope:
    """Declares a scope, once. Roles: citizen, clerk, approver, hotline_agent, supervisor, operator, partner, service."""
    declared = Scope(name, zh, en, frozenset(roles))
    if SCOPES.setdefault(name, declared) != declared:
        raise ValueError(f"scope {name} is declared twice, differently")
    return declared


@dataclass(frozen=True, slots=True)
class Caller:
    """What the token says about who calls. No names, no numbers: those are identity's."""

    subject_id: str
    subject_type: str  # person, staff or client
    client_id: str
    scopes: frozenset[str]
    session_id: str | None = None
    trust_level: int = 0
    represents: frozenset[UUID] = field(default_factory=frozenset)
    department_id: UUID | None = None
    division: str | None = None
    roles: frozenset[str] = field(default_factory=frozenset)

    @property
    def person_id(self) -> UUID:
        """Raises: NotAPerson, also to a partner's client, whose pairwise ``sub`` names nobody here."""
        if self.subject_type != "person":
            raise NotAPerson
        try:
            return UUID(self.subject_id)
        except ValueError:
            raise NotAPerson from None

    @property
    def staff_id(self) -> UUID:
        """Raises: NotStaff."""
        if self.subject_type != "staff":
            raise NotStaff
        return UUID(self.subject_id)

    @property
    def actor(self) -> Actor:
        """For the timeline."""
        return Actor(self.subject_type, self.subject_id)

    def may_act_for(self, holder_id: UUID) -> bool:
        """Whether this person is the holder, or acts for that legal person."""
        return self.subject_type == "person" and (
            self.subject_id == str(holder_id) or holder_id in self.represents
        )

    def need_trust_level(self, needed: int) -> None:
        """Raises: TrustLevelTooLow."""
        if self.trust_level < needed:
            raise TrustLevelTooLow(needed=needed, current=self.trust_level)


def caller_from_claims(claims: dict[str, Any]) -> Caller:
    """Reads the claims of our access tokens; see ``docs/architecture.md`` for their meaning."""
    level = str(claims.get("acr", ""))
    return Caller(
        subject_id=claims["sub"],
        subject_type=claims.get("subject_type", "client"),
        client_id=claims["client_id"],
        scopes=frozenset(str(claims.get("scope", "")).split()),
        session_id=claims.get("sid"),
        trust_level=int(level.rsplit(":", 1)[-1]) if level.startswith("urn:lianban:loa:") else 0,
        represents=frozenset(UUID(one) for one in claims.get("represents", [])),
        department_id=UUID(claims["department_id"]) if claims.get("department_id") else None,
        division=claims.get("division"),
        roles=frozenset(claims.get("roles", [])),
    )


_bearer = HTTPBearer(
    scheme_name="lianban", auto_error=False, bearerFormat="JWT", description="Access token of `/identity`."
)


async def _authenticate(
    request: Request,
    needed: SecurityScopes,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Caller:
    if credentials is None:
        raise Unauthenticated
    verifier: TokenVerifier = request.app.state.token_verifier
    caller = caller_from_claims(await verifier.verify(credentials.credentials))
    for name in needed.scopes:
        if name not in caller.scopes:
            raise MissingScope(scope=name)
    request.state.caller = caller
    structlog.contextvars.bind_contextvars(client_id=caller.client_id, subject_id=caller.subject_id)
    return caller


def require(*scopes: Scope) -> Any:
    """The dependency that lets in a caller with these scopes: ``Annotated[Caller, require(CASES_DECIDE)]``."""
    return Security(_authenticate, scopes=[one.name for one in scopes])


async def _open_to_all() -> None:
    """Marks a route that needs no login on purpose."""


PUBLIC = Depends(_open_to_all)


def is_guard(dependency: object) -> bool:
    """Whether a dependency decides who may enter: for the test that every route has one."""
    return dependency in (_authenticate, _open_to_all)

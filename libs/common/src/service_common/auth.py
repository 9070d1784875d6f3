"""Who calls, and what a route asks of the caller.

A route declares its scope: ``caller: Annotated[Caller, require(CASES_DECIDE)]``. Scopes are exported with OpenAPI, and identity
grants them by role. The scope is the role check only; every handler checks the object as well.

Who acts for somebody else is let in only where a route says which act it is: ``require(APPLICATIONS_WRITE, act=Act.SUBMIT)``.
A route that says nothing is for the person alone. The handler checks the matter: ``caller.need_matter("acceptance", code)``.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import structlog
from fastapi import Depends, Request, Security
from fastapi.security import HTTPBearer, SecurityScopes

from service_common import dpop
from service_common.clock import utc_now
from service_common.delegation import Act, Delegation, NotDelegable, OutsideDelegation, delegation_of
from service_common.errors import Forbidden, Unauthenticated
from service_common.timeline import Actor
from service_common.tokens import InvalidToken, TokenVerifier


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


class StepUpNeeded(Unauthenticated):
    """The token is good, but the log-in behind it is not enough for this (RFC 9470). 401, with what to ask of identity."""

    code = "insufficient_user_authentication"

    def asked(self) -> dict[str, str]:
        """The parameters for the authorization request that mends it."""
        return {}


class TrustLevelTooLow(StepUpNeeded):
    """A higher real-name level is needed."""

    zh = "此操作需要实名等级 {needed} 级，您当前为 {current} 级，请先完成认证。"
    en = "This needs trust level {needed}, yours is {current}: verify your identity first."

    def asked(self) -> dict[str, str]:
        return {"acr_values": f"urn:lianban:loa:{self.facts['needed']}"}


class LoginTooOld(StepUpNeeded):
    """Whoever does this has to have logged in lately."""

    zh = "为保障安全，此操作需要重新登录。"
    en = "For your safety this needs a fresh log-in."

    def asked(self) -> dict[str, str]:
        return {"max_age": str(self.facts["max_age"])}


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
    """What the token says about who calls. No names, no numbers: those are identity's.

    With a ``delegation`` the subject is the principal, for whom something is done; ``actor_id`` is who does it.
    """

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
    delegation: Delegation | None = None
    authenticated_at: int = 0

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
    def actor_id(self) -> str:
        """Who really does it: the agent of a delegation, else the subject."""
        return self.delegation.agent_id if self.delegation else self.subject_id

    @property
    def acting_id(self) -> UUID:
        """The person who does it, or the staff member who helps. Raises: NotAPerson."""
        return UUID(self.delegation.agent_id) if self.delegation else self.person_id

    @property
    def actor(self) -> Actor:
        """For the timeline: who does it, and for whom."""
        if self.delegation is None:
            return Actor(self.subject_type, self.subject_id)
        of = self.delegation
        return Actor(
            of.agent_kind, of.agent_id, on_behalf_of=self.subject_id, delegation_id=str(self.delegation.id)
        )

    @property
    def holders(self) -> frozenset[UUID]:
        """Whose matters these are: the person's own and those of represented legal persons; a principal's alone."""
        if self.subject_type not in ("person", "legal_person"):
            return frozenset()
        try:
            return self.represents | {UUID(self.subject_id)}
        except ValueError:  # a pairwise identifier names nobody here
            return self.represents

    def may_act_for(self, holder_id: UUID) -> bool:
        """Whether this person is the holder, or acts for that legal person."""
        return holder_id in self.holders

    def need_act(self, act: Act) -> None:
        """Raises: NotDelegable, for an agent who was not allowed this kind of act."""
        if self.delegation is not None and not self.delegation.allows(act):
            raise NotDelegable

    def need_matter(self, service: str, code: str) -> None:
        """Raises: OutsideDelegation, for an agent whose authorization is about other matters."""
        if not self.may_handle(service, code):
            raise OutsideDelegation

    def may_handle(self, service: str, code: str) -> bool:
        """Whether an item, bundle or licence type is within what somebody may do: for lists that leave out the rest."""
        return self.delegation is None or self.delegation.covers(service, code)

    def need_trust_level(self, needed: int) -> None:
        """Raises: TrustLevelTooLow."""
        if self.trust_level < needed:
            raise TrustLevelTooLow(needed=needed, current=self.trust_level)

    def need_fresh_login(self, *, max_age: int, now: datetime) -> None:
        """The log-in may be at most ``max_age`` seconds old. Raises: LoginTooOld."""
        if now.timestamp() - self.authenticated_at > max_age:
            raise LoginTooOld(max_age=max_age)


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
        delegation=delegation_of(claims),
        authenticated_at=int(claims.get("auth_time", 0)),
    )


_scheme = HTTPBearer(
    scheme_name="lianban",
    auto_error=False,
    bearerFormat="JWT",
    description="Access token of `/identity`: `Bearer`, or `DPoP` with a proof when it is bound to a key (RFC 9449).",
)


@dataclass(frozen=True, slots=True)
class _Guard:
    """Lets in who has the scopes of a route. ``act``: what an agent must be allowed; none: no agent enters."""

    act: Act | None = None

    async def __call__(
        self,
        request: Request,
        needed: SecurityScopes,
        _described: Annotated[object, Depends(_scheme)],
    ) -> Caller:
        caller = _read(await _claims_of(request))
        for name in needed.scopes:
            if name not in caller.scopes:
                raise MissingScope(scope=name)
        if caller.delegation is not None:
            if self.act is None:
                raise NotDelegable
            caller.need_act(self.act)
        request.state.caller = caller
        structlog.contextvars.bind_contextvars(client_id=caller.client_id, subject_id=caller.subject_id)
        if caller.delegation is not None:
            structlog.contextvars.bind_contextvars(actor_id=caller.actor_id)
        return caller


async def _claims_of(request: Request) -> dict[str, Any]:
    """The claims of the token that a request shows, with its proof if it is bound to a key.

    Raises: Unauthenticated, InvalidToken, InvalidProof, KeysUnavailable.
    """
    shown = request.headers.getlist("authorization")
    scheme, _, token = shown[0].partition(" ") if shown else ("", "", "")
    if scheme.lower() not in ("bearer", "dpop") or not token:
        raise Unauthenticated
    if len(shown) > 1:
        raise InvalidToken
    verifier: TokenVerifier = request.app.state.token_verifier
    claims = await verifier.verify(token)
    bound_to = claims.get("cnf", {}).get("jkt")
    if scheme.lower() == "bearer":
        if bound_to is not None:
            raise dpop.TokenIsBound
        return claims
    if bound_to is None:
        raise InvalidToken
    await _check_possession(request, token, bound_to)
    return claims


async def _check_possession(request: Request, token: str, bound_to: str) -> None:
    """Raises: InvalidProof. The address is the public one: behind the edge ours is plain HTTP."""
    shown = request.headers.getlist(dpop.HEADER)
    if len(shown) != 1:
        raise dpop.InvalidProof
    own_path = request.url.path
    path = dpop.proven_path(own_path, request.headers.get(dpop.PROVEN_AT))
    url = request.app.state.settings.public_origin + path
    proof = dpop.read_proof(shown[0], method=request.method, url=url, now=utc_now(), access_token=token)
    if proof.jkt != bound_to:
        raise dpop.InvalidProof
    passed_on_to = "" if path == own_path else own_path
    await request.app.state.seen_proofs.accept(proof, passed_on_to=passed_on_to)


def _read(claims: dict[str, Any]) -> Caller:
    """Raises: InvalidToken, for claims that are not of our form."""
    try:
        return caller_from_claims(claims)
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidToken from error


def require(*scopes: Scope, act: Act | None = None) -> Any:
    """The dependency that lets in a caller with these scopes: ``Annotated[Caller, require(CASES_DECIDE)]``.

    ``act`` opens the route to agents whose delegation allows that act.
    """
    return Security(_Guard(act), scopes=[one.name for one in scopes])


async def _open_to_all() -> None:
    """Marks a route that needs no login on purpose."""


PUBLIC = Depends(_open_to_all)


def act_of(dependency: object) -> Act | None:
    """What an agent must be allowed to enter by this guard; none: no agent enters."""
    return dependency.act if isinstance(dependency, _Guard) else None


def is_guard(dependency: object) -> bool:
    """Whether a dependency decides who may enter: for the test that every route has one."""
    return isinstance(dependency, _Guard) or dependency is _open_to_all

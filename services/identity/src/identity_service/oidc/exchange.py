"""Token exchange (RFC 8693): who was entrusted with somebody's matters gets an access token to act for them.

``subject_token`` is the agent's own access token, ``delegation`` (our parameter) names the authorization. The answer's ``sub``
is the principal and ``act.sub`` the agent. Authlib has no such grant; its base does client authentication, hooks and errors.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from authlib.oauth2.rfc6749.errors import (
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc6749.grants import BaseGrant, TokenEndpointMixin
from sqlalchemy.util.concurrency import await_

from identity_service.accounts.domain import SubjectKind
from identity_service.delegations.handlers import Usable, hold_usable, sit_down
from identity_service.oidc.client_authentication import METHODS
from identity_service.oidc.clients import OAuthClient
from identity_service.oidc.domain import Subject
from identity_service.oidc.provider import (
    ACCESS_TOKEN_TYPE,
    InvalidDPoPProof,
    Provider,
    ProviderRequest,
    Work,
)
from identity_service.oidc.subjects import load_subject
from identity_service.relying_parties.domain import GrantType
from identity_service.sessions import handlers as sessions
from identity_service.sessions.models import Grant
from service_common.contracts.acceptance import HolderKind
from service_common.delegation import Delegation

ACCESS_TOKEN_URN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a word of the standard

# What routes for applicants ask for. A principal's staff roles, were there any, are never lent.
_PRINCIPAL_ROLES = {
    HolderKind.NATURAL_PERSON: frozenset({"citizen"}),
    HolderKind.LEGAL_PERSON: frozenset({"citizen", "company_agent"}),
}
_SUBJECT_TYPES = {HolderKind.NATURAL_PERSON: "person", HolderKind.LEGAL_PERSON: "legal_person"}


@dataclass(frozen=True)
class Agent:
    """Who has shown an access token: the person or helper, and in which grant of which scopes."""

    subject: Subject
    grant: Grant
    scopes: frozenset[str]


class ExchangeGrant(BaseGrant, TokenEndpointMixin):  # type: ignore[misc]  # Authlib ships no types
    """One access token for another that is worth less: other matters and other services are not in it."""

    GRANT_TYPE = str(GrantType.TOKEN_EXCHANGE)
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    server: Provider
    request: ProviderRequest

    @property
    def work(self) -> Work:
        return self.server.work

    def validate_token_request(self) -> None:
        """Raises: InvalidClientError, UnauthorizedClientError, InvalidRequestError, InvalidGrantError."""
        client: OAuthClient = self.authenticate_token_endpoint_client()
        self.request.client = client
        # Its tokens name the principal, by whom departments could join data: docs/adr/0006-partner-tokens.md.
        if not client.check_grant_type(self.GRANT_TYPE) or not client.is_first_party:
            raise UnauthorizedClientError(
                f"The client is not authorized to use 'grant_type={self.GRANT_TYPE}'"
            )
        asked = self.request.payload
        if asked.subject_token is None or asked.subject_token_type != ACCESS_TOKEN_URN:
            raise InvalidRequestError("A subject_token of type access_token is required.")
        if asked.requested_token_type not in (None, ACCESS_TOKEN_URN):
            raise InvalidRequestError("Only access tokens are given in exchange.")
        if asked.actor_token is not None or asked.actor_token_type is not None:
            raise InvalidRequestError(
                "The actor is who the subject_token speaks of: there is no actor_token."
            )
        self._agent = await_(self._find_agent(asked.subject_token, client))
        self._usable = await_(self._find_delegation(asked.delegation))

    async def _find_agent(self, token: str, client: OAuthClient) -> Agent:
        """Whatever is wrong with a subject token is invalid_request (RFC 8693 §2.2.2). Raises: InvalidRequestError."""
        refusal = InvalidRequestError("The subject_token is not a living access token of this client's user.")
        claims = self.work.keys.read(token, kind=ACCESS_TOKEN_TYPE)
        if claims is None or claims["exp"] <= self.work.now.timestamp():
            raise refusal
        if claims["client_id"] != client.client_id or "sid" not in claims or "act" in claims:
            raise refusal
        bound_to = claims.get("cnf", {}).get("jkt")
        if bound_to is not None and (self.server.proof is None or self.server.proof.jkt != bound_to):
            raise InvalidDPoPProof
        grant = await sessions.hold_grant(self.work.session, UUID(claims["sid"]))
        if grant is None:
            raise refusal
        subject = await load_subject(self.work.session, grant.kind, grant.subject_id, now=self.work.now)
        if subject is None:
            raise refusal
        return Agent(subject, grant, frozenset(claims["scope"].split()))

    async def _find_delegation(self, text: str | None) -> Usable:
        """Raises: InvalidRequestError, InvalidGrantError: unknown, not this agent's, not accepted, over, or used up."""
        if text is None:
            raise InvalidRequestError("The delegation is missing.")
        try:
            delegation_id = UUID(text)
        except ValueError:
            raise InvalidRequestError("The delegation is not an id.") from None
        settings = self.work.settings
        refusal = InvalidGrantError("The delegation cannot be used.")
        if self._agent.subject.trust_level < settings.delegation_least_level:
            raise refusal
        usable = await hold_usable(
            self.work.session,
            delegation_id,
            self._agent.grant,
            level=settings.delegation_least_level,
            sitting=timedelta(minutes=settings.delegation_sitting_minutes),
            now=self.work.now,
        )
        if usable is None:
            raise refusal
        return usable

    def create_token_response(self) -> tuple[int, dict[str, Any], Any]:
        """The answer of RFC 8693 §2.2.1. There is no refresh token: the agent's own can be exchanged again.

        Refusals are committed as well, so a use is counted when nothing can go wrong any more.
        Raises: InvalidScopeError, InvalidTarget.
        """
        agent, usable, asked = self._agent, self._usable, self.request.payload
        scopes, resource = self._scopes(), asked.resource or asked.audience
        if not scopes:
            raise InvalidScopeError
        self.server.narrow(scopes, resource)
        sitting = await_(sit_down(self.work.session, usable, agent.grant, now=self.work.now))
        token = self.server.access_token(
            self.request.client,
            scopes,
            resource,
            agent.subject,
            sitting,
            on_behalf=_claims(agent, usable, sitting),
            until=usable.delegation.valid_until,
        )
        token["issued_token_type"] = ACCESS_TOKEN_URN
        return 200, token, self.TOKEN_RESPONSE_HEADER

    def _scopes(self) -> frozenset[str]:
        """What the principal could be granted of the services that the delegation is about, and no more than was asked.

        Nor more than the agent's own token holds; but a helper's is a staff token, which never holds what applicants may do:
        there the delegation alone says it.
        """
        row, catalogue = self._usable.delegation, self.work.catalogue
        client: OAuthClient = self.request.client
        services = {one.split(":", 1)[0] for one in row.matters}
        scopes = catalogue.grantable(_PRINCIPAL_ROLES[row.principal_kind]) & client.scopes
        scopes = frozenset(name for name in scopes if catalogue.entries[name].service in services)
        if self._agent.subject.kind is SubjectKind.PERSON:
            scopes &= self._agent.scopes
        if self.request.payload.scope is not None:
            scopes &= frozenset(self.request.payload.scope.split())
        return scopes


def _claims(agent: Agent, usable: Usable, sitting: Grant) -> dict[str, Any]:
    """For whom, by whom, and within what. The level is that of the one of both who is known less well."""
    row = usable.delegation
    level = min(agent.subject.trust_level, usable.principal_level)
    delegation = Delegation(
        id=row.id,
        agent_kind=agent.subject.kind.lower(),
        agent_id=str(agent.subject.id),
        acts=frozenset(row.acts),
        matters=frozenset(row.matters),
    )
    return {
        "sub": str(row.principal_id),
        "subject_type": _SUBJECT_TYPES[row.principal_kind],
        "sid": str(sitting.id),
        "acr": f"urn:lianban:loa:{level}",
        "amr": sitting.methods,
        "auth_time": int(sitting.authenticated_at.timestamp()),
        **delegation.claims(),
    }

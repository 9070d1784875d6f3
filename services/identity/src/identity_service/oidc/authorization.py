"""The authorization endpoint: from a client's request to the next page, or back to the client with a code."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidScopeError
from authlib.oauth2.rfc9101.errors import InvalidRequestUriError
from authlib.oidc.core.errors import ConsentRequiredError, LoginRequiredError
from sqlalchemy.dialects.postgresql import insert

from identity_service.login.handlers import Parameters as Asked
from identity_service.login.models import Interaction
from identity_service.oidc.claims import AskedClaims
from identity_service.oidc.clients import OAuthClient
from identity_service.oidc.domain import Freshness, Subject, asked_level
from identity_service.oidc.grants import CodeGrant, LoggedOutMeanwhile, check_response_type
from identity_service.oidc.hints import hinted_subject
from identity_service.oidc.id_tokens import CODE_EXTENSIONS
from identity_service.oidc.models import Consent
from identity_service.oidc.provider import Answer, Provider, ProviderRequest, Work
from identity_service.oidc.pushed import apart_from_pushed, use_up
from identity_service.oidc.subjects import grantable, subject_identifier
from identity_service.oidc.visitors import Visitor
from identity_service.scopes import ScopeEntry
from identity_service.sessions.models import LoginSession


@dataclass(frozen=True)
class NeedsLogin:
    """Somebody has to log in first."""

    client_name: str


@dataclass(frozen=True)
class NeedsConsent:
    """Somebody has to allow it first."""

    client: OAuthClient
    subject: Subject
    scopes: tuple[ScopeEntry, ...]


@dataclass(frozen=True)
class NeedsLevel:
    """The request asks for a higher trust level than the person has (RFC 9470): it can be raised on the way."""

    client_name: str
    level: int
    needed: int


@dataclass(frozen=True)
class ToClient:
    """The browser goes back to the client, with a code or an error."""

    address: str


@dataclass(frozen=True)
class Refused:
    """The request is not even fit for an answer to the client: the person at the browser is told."""

    error: str
    description: str


Outcome = NeedsLogin | NeedsLevel | NeedsConsent | ToClient | Refused


class UnmetAuthenticationRequirements(OAuth2Error):  # type: ignore[misc]  # Authlib ships no types
    """The level that was asked for was not reached (OpenID Connect Unmet Authentication Requirements 1.0)."""

    error = "unmet_authentication_requirements"
    description = "The trust level that acr_values asks for was not reached."


async def authorize(
    work: Work,
    pairs: Iterable[tuple[str, str]],
    visitor: Visitor | None,
    interaction: Interaction | None,
    *,
    denied: bool = False,
    gives_up: bool = False,
) -> Outcome:
    """Looks at a request with the session that the browser has, read for the client that asks, and says what comes next.

    Called again after each page of the interaction, until the answer is ``ToClient``. A request that has got as far as
    an interaction came the way that its client must come. ``gives_up``: the person does not want to be verified for more.
    A pushed request is used up by its answer, not by being looked at: a page may be loaded again (FAPI 2.0 §5.3.2.2, note 3).
    """
    provider = Provider(work)
    provider.register_grant(CodeGrant, CODE_EXTENSIONS)
    asked, pushed = apart_from_pushed(pairs)
    request = ProviderRequest("GET", work.settings.authorization_endpoint, asked)
    request.is_pushed = pushed is not None or interaction is not None
    usable = visitor if visitor is not None and _is_fresh(work, request, visitor.login, interaction) else None
    try:
        provider.check_parameters(request)
        check_response_type(request)
        grant: CodeGrant = await provider.run(provider.get_consent_grant, request, usable)
        grant.pushed = pushed
        return await _next(work, provider, grant, usable, interaction, denied=denied, gives_up=gives_up)
    except OAuth2Error as error:
        if error.redirect_uri is None:
            return Refused(error.error, error.get_error_description() or "")
        error.state = error.state or request.payload.state
        await use_up(work, pushed)
        return ToClient(provider.error_answer(error).location or "")


def _is_fresh(
    work: Work, request: ProviderRequest, login: LoginSession, interaction: Interaction | None
) -> bool:
    try:
        asked = Freshness.asked_by(request.payload.data)
    except ValueError:
        return True  # the grant refuses it, with an answer to the client
    return asked.satisfied_by(
        login.authenticated_at, in_this_interaction=_entered_in(interaction, login), now=work.now
    )


def _entered_in(interaction: Interaction | None, login: LoginSession) -> bool:
    return interaction is not None and interaction.login_session_id == login.id


async def _next(
    work: Work,
    provider: Provider,
    grant: CodeGrant,
    visitor: Visitor | None,
    interaction: Interaction | None,
    *,
    denied: bool,
    gives_up: bool,
) -> Outcome:
    client: OAuthClient = grant.request.client
    prompts = (grant.request.payload.prompt or "").split()
    if denied:
        return await _answer(provider, grant, None)
    subject = visitor.subject if visitor is not None else None
    if visitor is None or subject is None or _another_is_hinted(work, grant, visitor, subject, interaction):
        return _needs_login(grant, prompts)
    asked = AskedClaims.parse(grant.request.payload.claims)
    if asked.subject is not None and asked.subject != subject_identifier(work.ring, client, subject.id):
        raise LoginRequiredError(redirect_uri=grant.redirect_uri)
    lacking = _lacking_level(grant, asked, subject, gives_up=gives_up or "none" in prompts)
    if lacking is not None:
        return lacking
    allowed = grantable(work.catalogue, client, subject)
    scopes = frozenset(grant.request.scope.split()) & allowed
    if not scopes:
        raise InvalidScopeError(redirect_uri=grant.redirect_uri)
    scopes = _narrowed(provider, grant, scopes)
    of_claims = asked.scopes & allowed & client.scopes
    shown = scopes | of_claims
    if _needs_consent(client, visitor, shown, prompts=prompts, interaction=interaction):
        if "none" in prompts:
            raise ConsentRequiredError(redirect_uri=grant.redirect_uri)
        return NeedsConsent(client, subject, tuple(work.catalogue.entries[name] for name in sorted(shown)))
    grant.login, grant.scopes, grant.claims = visitor.login, scopes, asked.within(of_claims)
    try:
        return await _answer(provider, grant, subject)
    except LoggedOutMeanwhile:
        return _needs_login(grant, prompts)


def _another_is_hinted(
    work: Work, grant: CodeGrant, visitor: Visitor, subject: Subject, interaction: Interaction | None
) -> bool:
    """Whether the hint names somebody else, who may log in now. Raises: LoginRequiredError, when somebody else just did."""
    client: OAuthClient = grant.request.client
    hinted = hinted_subject(work.keys, client.client_id, grant.request.payload.id_token_hint)
    if hinted is None or hinted == subject_identifier(work.ring, client, subject.id):
        return False
    if _entered_in(interaction, visitor.login):
        raise LoginRequiredError(redirect_uri=grant.redirect_uri)
    return True


def _needs_login(grant: CodeGrant, prompts: list[str]) -> NeedsLogin:
    """Raises: LoginRequiredError, where the client wants no page to be shown."""
    if "none" in prompts:
        raise LoginRequiredError(redirect_uri=grant.redirect_uri)
    return NeedsLogin(grant.request.client.name)


def _lacking_level(
    grant: CodeGrant, asked: AskedClaims, subject: Subject, *, gives_up: bool
) -> NeedsLevel | None:
    """What the person lacks of the level that the request asks for. Raises: UnmetAuthenticationRequirements."""
    acr_values = grant.request.payload.acr_values
    needed = asked_level(acr_values if asked.levels is None else " ".join(asked.levels))
    if needed is None or subject.trust_level >= needed:
        return None
    if gives_up or not subject.can_be_verified_to(needed):
        raise UnmetAuthenticationRequirements(redirect_uri=grant.redirect_uri)
    return NeedsLevel(grant.request.client.name, subject.trust_level, needed)


def _narrowed(provider: Provider, grant: CodeGrant, scopes: frozenset[str]) -> frozenset[str]:
    """The scopes of the service that the request names, if it names one (RFC 8707). Raises: InvalidTarget."""
    if grant.request.payload.resource is None:
        return scopes
    try:
        return provider.narrow(scopes, grant.request.payload.resource)[0]
    except OAuth2Error as error:
        error.redirect_uri = grant.redirect_uri
        raise


async def _answer(provider: Provider, grant: CodeGrant, subject: Subject | None) -> ToClient:
    """Raises: InvalidRequestUriError for a pushed request that was answered before."""
    if not await use_up(provider.work, grant.pushed):
        raise InvalidRequestUriError

    def respond() -> Any:
        return provider.create_authorization_response(grant.request, grant_user=subject, grant=grant)

    answer: Answer = await provider.run(respond)
    return ToClient(answer.location or "")


def _needs_consent(
    client: OAuthClient,
    visitor: Visitor,
    scopes: frozenset[str],
    *,
    prompts: list[str],
    interaction: Interaction | None,
) -> bool:
    """Third-party clients need it, for every scope; asked anew when the client wants that."""
    if client.is_first_party or (interaction is not None and interaction.consented_at is not None):
        return False
    if "consent" in prompts:
        return True
    return not scopes <= visitor.allowed


async def give_consent(work: Work, asked: NeedsConsent, interaction: Interaction) -> None:
    """The person has allowed what the consent page shows."""
    names = [entry.name for entry in asked.scopes]
    await remember_consent(work, asked.subject.id, asked.client.client_id, names)
    interaction.consented_at = work.now


async def remember_consent(work: Work, subject_id: UUID, client_id: str, names: Iterable[str]) -> None:
    """Remembers what somebody allowed a client, on top of what was allowed before."""
    given = await work.session.get(Consent, (subject_id, client_id))
    consent = insert(Consent).values(
        subject_id=subject_id,
        client_id=client_id,
        scopes=sorted({*names, *(given.scopes if given else ())}),
        given_at=work.now,
    )
    new = consent.excluded
    await work.session.execute(
        consent.on_conflict_do_update(
            index_elements=["subject_id", "client_id"],
            set_={"scopes": new.scopes, "given_at": new.given_at},
        )
    )


def pairs_of(parameters: Asked) -> list[tuple[str, str]]:
    """A remembered request as it came."""
    return list(parameters.items())

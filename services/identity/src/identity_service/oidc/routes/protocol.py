"""The endpoints that clients call themselves. Errors are those of OAuth, not problem documents (RFC 6749 §5.2)."""

import json
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response, status
from starlette.datastructures import Headers

from identity_service.edge import Catalogue, CurrentSettings, Keys, address_of
from identity_service.oidc import endpoints
from identity_service.oidc.discovery import provider_metadata
from identity_service.oidc.provider import Answer, Work
from identity_service.oidc.routes.direct import DirectRoute
from identity_service.oidc.routes.work import CurrentWork, at_work
from identity_service.oidc.userinfo import claims_for
from service_common.auth import PUBLIC, Caller, Scope, require

router = APIRouter(prefix="/identity", tags=["openid"])
direct = APIRouter(prefix="/identity", tags=["openid"], route_class=DirectRoute)
"""Where clients come with a form, many times a second."""
well_known = APIRouter(tags=["openid"])
"""At the root of the origin, where RFC 8414 §3.1 puts what it knows of an issuer with a path."""

OPENID = Scope("openid", "登录", "Sign you in", frozenset())

_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 1000
# All that is written for it is that an assertion and a proof were used, each by one statement.
_OF_CLIENT_ALONE = ("grant_type", "client_credentials")


def _form(properties: dict[str, str], required: list[str], example: dict[str, str]) -> dict[str, Any]:
    """The OpenAPI description of a form that is read as a whole."""
    schema = {
        "type": "object",
        "properties": {
            name: {"type": "string", "description": meaning} for name, meaning in properties.items()
        },
        "required": required,
    }
    return {"requestBody": {"required": True, "content": {_FORM: {"schema": schema, "example": example}}}}


_CLIENT = {
    "client_id": "Of a public client, or with client_secret.",
    "client_secret": "client_secret_post; client_secret_basic is better.",
    "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "client_assertion": "private_key_jwt (RFC 7523).",
}
_TOKEN_FORM = _form(
    {
        "grant_type": "authorization_code, refresh_token, client_credentials, or that of RFC 8628.",
        "device_code": "From the device authorization.",
        "code": "From the redirect.",
        "redirect_uri": "As in the authorization request.",
        "code_verifier": "PKCE (RFC 7636).",
        "refresh_token": "Used once; the answer holds its successor.",
        "scope": "Less than was granted, or what a client asks for itself.",
        "resource": "urn:lianban:<service>: a token for one service alone (RFC 8707).",
        "subject_token": "Token exchange (RFC 8693): the access token of who acts for somebody else.",
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "delegation": "Token exchange: the id of the delegation to act by.",
        **_CLIENT,
    },
    ["grant_type"],
    {"grant_type": "client_credentials", "scope": "certificates:licences.verify"},
)
_PUSHED_FORM = _form(
    {
        "client_id": "Of the client that authenticates.",
        "response_type": "code.",
        "redirect_uri": "One that is registered.",
        "code_challenge": "PKCE (RFC 7636).",
        "code_challenge_method": "S256.",
        "scope": "openid and what else is needed.",
        **{name: meaning for name, meaning in _CLIENT.items() if name != "client_id"},
    },
    ["client_id", "response_type", "redirect_uri", "code_challenge", "code_challenge_method"],
    {
        "client_id": "c-4be5d1a0c2f39e77",
        "response_type": "code",
        "redirect_uri": "https://partner.example/callback",
        "scope": "openid",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    },
)
_DEVICE_FORM = _form(
    {"scope": "What the device needs.", "resource": "urn:lianban:<service> (RFC 8707).", **_CLIENT},
    [],
    {"client_id": "lianban-kiosk", "scope": "openid profile"},
)
_OF_TOKEN = _form(
    {"token": "An access or refresh token.", "token_type_hint": "access_token or refresh_token.", **_CLIENT},
    ["token"],
    {"token": "mF_9.B5f-4.1JqM"},
)


async def _pairs(request: Request) -> list[tuple[str, str]]:
    """The form; what is not one has no parameters, and the provider says what is missing."""
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != _FORM:
        return []
    body = await request.body()
    try:
        return parse_qsl(body.decode("latin-1"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:  # more fields than anybody means to send
        return []


Endpoint = Callable[[Work, Iterable[tuple[str, str]], Headers], Awaitable[Answer]]


async def _answer(request: Request, endpoint: Endpoint) -> Response:
    """Reads the form before any transaction begins: a client that sends slowly holds nothing."""
    pairs = await _pairs(request)
    async with at_work(request, stands_alone=_OF_CLIENT_ALONE in pairs) as work:
        answer = await endpoint(work, pairs, request.headers)
    return Response(json.dumps(answer.body), answer.status, headers=answer.headers)


@router.get(
    "/.well-known/openid-configuration",
    summary="Provider metadata 发现文档",
    description="OpenID Connect Discovery 1.0.",
    dependencies=[PUBLIC],
)
async def discovery(settings: CurrentSettings, catalogue: Catalogue) -> dict[str, Any]:
    return provider_metadata(settings, catalogue)


@well_known.get(
    "/.well-known/oauth-authorization-server/identity",
    summary="Authorization server metadata 授权服务器元数据",
    description="The same for clients that know OAuth alone (RFC 8414).",
    dependencies=[PUBLIC],
)
async def authorization_server(settings: CurrentSettings, catalogue: Catalogue) -> dict[str, Any]:
    return provider_metadata(settings, catalogue)


@router.get(
    "/jwks",
    summary="Public keys 公钥",
    description="Current, coming and recently replaced keys (RFC 7517). Fetch again on an unknown `kid`.",
    dependencies=[PUBLIC],
)
async def jwks(keys: Keys, response: Response) -> dict[str, Any]:
    response.headers["Cache-Control"] = "public, max-age=300"
    return dict(keys.public.as_dict(private=False))


@direct.post(
    "/token",
    summary="Get tokens 获取令牌",
    description="Authorization code with PKCE, refresh with rotation, client credentials, device code.",
    dependencies=[PUBLIC],
    openapi_extra=_TOKEN_FORM,
)
async def token(request: Request) -> Response:
    return await _answer(request, endpoints.token_answer)


@direct.post(
    "/par",
    status_code=status.HTTP_201_CREATED,
    summary="Push an authorization request 推送授权请求",
    description="RFC 9126. The `request_uri` in the answer is good once, for this client, for a minute and a half.",
    dependencies=[PUBLIC],
    openapi_extra=_PUSHED_FORM,
)
async def push(request: Request) -> Response:
    return await _answer(request, endpoints.pushed_answer)


@direct.post(
    "/device_authorization",
    summary="Ask for a device to be let in 设备授权请求",
    description="RFC 8628. Show `user_code` and a QR code of `verification_uri_complete`, and poll the token endpoint.",
    dependencies=[PUBLIC],
    openapi_extra=_DEVICE_FORM,
)
async def authorize_device(request: Request) -> Response:
    return await _answer(request, partial(endpoints.device_answer, address=address_of(request)))


@direct.post(
    "/introspect",
    summary="Introspect a token 查验令牌",
    description="RFC 7662. Clients ask about their own tokens.",
    dependencies=[PUBLIC],
    openapi_extra=_OF_TOKEN,
)
async def introspect(request: Request) -> Response:
    return await _answer(request, endpoints.introspection_answer)


@direct.post(
    "/revoke",
    summary="Revoke a token 撤销令牌",
    description="RFC 7009. Ends the whole grant; its access tokens are refused within a second.",
    dependencies=[PUBLIC],
    openapi_extra=_OF_TOKEN,
)
async def revoke(request: Request) -> Response:
    return await _answer(request, endpoints.revocation_answer)


@router.get(
    "/userinfo",
    summary="Who has logged in 用户信息",
    description="`sub`, with scope `profile` the verified name, with `phone` the number.",
)
async def userinfo(
    work: CurrentWork, caller: Annotated[Caller, require(OPENID)], response: Response
) -> dict[str, Any]:
    response.headers["Cache-Control"] = "no-store"
    return await claims_for(work, caller)


@router.post(
    "/userinfo",
    summary="Who has logged in (POST) 用户信息",
    description="As GET (OpenID Connect Core §5.3.1).",
)
async def userinfo_by_post(
    work: CurrentWork, caller: Annotated[Caller, require(OPENID)], response: Response
) -> dict[str, Any]:
    return await userinfo(work, caller, response)

"""Everything that the demo needs, in order: identity, licence library, catalogue. Safe to run twice."""

import json
from pathlib import Path

import httpx

from lianban_local import environment, seeding
from lianban_local.demo import catalogue, certificates, people
from lianban_local.demo.app import REDIRECT_URI, App
from lianban_local.demo.certificates import Api
from lianban_local.runfile import Account, Client, RunFile
from lianban_local.seeding import SeedContext, SeedResult
from service_common.http import ServiceClient, ServiceToken

OWN_APP = "lianban-app"
_STANDARD_SCOPES = ("openid", "profile", "phone", "offline_access")


async def seed(context: SeedContext) -> SeedResult:
    """Raises: Refused, NotHeard, when the platform will not have it."""
    run = RunFile(
        base_url=context.addresses.origin,
        issuer=context.addresses.issuer,
        clients=[own_app(context.state.path / "scopes.json")],
    )
    async with httpx.AsyncClient(timeout=60) as http:
        app = App(run, http)
        operator = app.sign_in(people.administrator(context.state), people.OPERATOR_SCOPE)
        remembered = seeding.last_result(context.state)
        cast = await people.seed(app, operator, context.state, remembered.clients if remembered else [])
        await certificates.seed(Api(_library(context), cast.departments, cast.holders))
        editor = app.sign_in(people.administrator(context.state), catalogue.EDITOR_SCOPE)
        second = next(one for one in cast.accounts if one.username == "operator")
        await catalogue.seed(editor, app.sign_in(second, catalogue.REVIEWER_SCOPE))
    return SeedResult(accounts=_with_names(cast), clients=cast.clients)


def own_app(scopes_file: Path) -> Client:
    """The platform's public app: it may ask for every scope, and its people get what their roles allow."""
    scopes = [one["name"] for one in json.loads(scopes_file.read_text(encoding="utf-8"))]
    return Client(
        client_id=OWN_APP,
        redirect_uris=[environment.APP_REDIRECT_URI, REDIRECT_URI],
        grant_types=[
            "authorization_code",
            "refresh_token",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ],
        scope=" ".join([*_STANDARD_SCOPES, *scopes]),
    )


def _library(context: SeedContext) -> ServiceClient:
    token = ServiceToken(
        client_id=context.client_id,
        key_file=context.client_key_file,
        issuer=context.addresses.issuer,
        token_url=f"{context.addresses.of('identity')}/identity/token",
    )
    return ServiceClient(context.addresses.of("certificates"), token)


def _with_names(cast: people.Cast) -> list[Account]:
    """Departments by name, for people who read the table."""
    names = {one["uscc"]: one["name"] for one in people.CAST["organs"]}
    names |= people.department_names()
    return [
        one.model_copy(update={"department": names[one.department]}) if one.department else one
        for one in cast.accounts
    ]

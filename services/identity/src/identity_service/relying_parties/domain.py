"""Clients of the OpenID provider: what they may be, where they may send people back to."""

import ipaddress
import re
from enum import StrEnum
from urllib.parse import urlsplit

from service_common.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound


class GrantType(StrEnum):
    """Ways to get a token."""

    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 - a word of the standard
    CLIENT_CREDENTIALS = "client_credentials"
    DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
    TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - a word of the standard


class Authentication(StrEnum):
    """How a client proves itself at the token endpoint."""

    NONE = "none"
    SECRET = "client_secret_basic"  # noqa: S105 - a word of the standard; client_secret_post is taken as well
    PRIVATE_KEY = "private_key_jwt"


class SecurityProfile(StrEnum):
    """Which rules a client is held to: those for everybody, or those of the FAPI 2.0 Security Profile 高信任."""

    DEFAULT = "DEFAULT"
    FAPI2 = "FAPI2"


class Environment(StrEnum):
    """Where a client is used: by the public, or against a platform that has no real people."""

    PRODUCTION = "PRODUCTION"
    SANDBOX = "SANDBOX"


class NoSandboxHere(Invalid):
    """This platform has real people."""

    code = "no_sandbox_here"
    zh = "本平台不提供沙箱环境，请在沙箱平台登记测试应用。"
    en = "This platform serves no sandbox clients: register the client at the sandbox."


class NoSuchAlgorithm(Invalid):
    """This platform has no key for it."""

    code = "no_such_algorithm"
    zh = "本平台不使用该算法签署 ID Token，可选：{offered}。"
    en = "This platform signs no ID tokens with that algorithm; it offers {offered}."


class NoSuchSecret(NotFound):
    """Unknown, or retired."""

    code = "no_such_secret"
    zh = "没有该密钥，或已停用。"
    en = "There is no such secret or key, or it is retired."


class LastKey(Conflict):
    """A client without a key could not prove itself."""

    code = "last_key"
    zh = "这是唯一的有效密钥，请先新增再停用。"
    en = "This is the only one that works: add another one first."


class UnknownScopes(Invalid):
    """Nothing of this name can be granted."""

    code = "unknown_scopes"
    zh = "没有权限项：{names}。"
    en = "There is no scope {names}."


LIVING_KEYS = 2
"""The one in use and the next one: a third retires the oldest."""


class NoSuchClient(NotFound):
    """Unknown, or of another department."""

    code = "no_such_client"
    zh = "没有该应用。"
    en = "There is no such client."


class ClientIdTaken(Conflict):
    """Client ids are unique."""

    code = "client_id_taken"
    zh = "该 client_id 已被使用。"
    en = "This client_id is taken."


class InvalidClientMetadata(Invalid):
    """Fields that do not fit together (RFC 7591 §3.2.2)."""

    code = "invalid_client_metadata"
    zh = "应用信息不符合要求。"
    en = "The client's metadata break a rule."


class FirstPartyByOperatorsOnly(Forbidden):
    """Only the platform's operators say what belongs to the platform."""

    code = "first_party_by_operators_only"
    zh = "只有平台运维人员可以登记平台自有应用或其他部门的应用。"
    en = "Only operators register first-party clients, or clients of other departments."


ALL_SCOPES = "*"
"""A first-party client may ask for whatever its user's roles allow."""

CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,99}")
_PRIVATE_SCHEME = re.compile(r"[a-z][a-z0-9+-]*(\.[a-z0-9+-]+)+")
_LOOPBACK_NAME = "localhost"
# Origins of clients stand in our content security policies, where these separate directives and policies.
_ENDS_A_SOURCE = re.compile(r"[;,]")


def check_redirect_uri(uri: str, *, pointer: str, is_public: bool) -> FieldProblem | None:
    """What is wrong with a redirect address that is to be registered, if anything.

    https; http on the own machine (RFC 8252 §7.3); a private scheme with a dot, for public clients (§7.1). No fragment.
    """
    problem = FieldProblem(
        pointer,
        "invalid_redirect_uri",
        "回调地址应为 https、本机 http 或含点的私有协议，且不含片段和空白。",
        "A redirect URI is https, http on loopback, or a private scheme with a dot; no fragment, no spaces.",
    )
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError:
        return problem
    if _has_odd_characters(uri) or _ENDS_A_SOURCE.search(parts.netloc):
        return problem
    if parts.scheme == "https" and parts.hostname and not parts.username:
        return None
    if parts.scheme == "http" and is_loopback(parts.hostname):
        return None
    if is_public and _PRIVATE_SCHEME.fullmatch(parts.scheme):
        return None
    return problem


def _has_odd_characters(uri: str) -> bool:
    return not uri.isascii() or not uri.isprintable() or any(odd in uri for odd in ' #"\\')


def check_logout_uri(uri: str, *, pointer: str) -> FieldProblem | None:
    """What is wrong with an address at which a client wants to hear of a logout, if anything: a redirect URI of the web.

    Source: OpenID Connect Back-Channel Logout 1.0 §2.2, Front-Channel Logout 1.0 §2.
    """
    return check_redirect_uri(uri, pointer=pointer, is_public=False)


def same_origin(one: str, other: str) -> bool:
    """Scheme, host and port of two web addresses."""
    return urlsplit(one)[:2] == urlsplit(other)[:2]


def is_loopback(host: str | None) -> bool:
    """The own machine, by name or number."""
    if host == _LOOPBACK_NAME:
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def redirect_matches(requested: str, registered: str, *, any_port: bool) -> bool:
    """Exact comparison of strings (RFC 9700 §2.1), but for the port of a native app on loopback (RFC 8252 §7.3)."""
    if requested == registered:
        return True
    if not any_port:
        return False
    try:
        wanted, known = urlsplit(requested), urlsplit(registered)
        _ = wanted.port
    except ValueError:
        return False
    if known.scheme != "http" or not is_loopback(known.hostname) or wanted.username or wanted.fragment:
        return False
    return (wanted.scheme, wanted.hostname, wanted.path, wanted.query) == (
        known.scheme,
        known.hostname,
        known.path,
        known.query,
    )

"""The edge's one route table: what is reachable from outside, who may enter, and within which limits.

Envoy's configuration is rendered from it, locally and for Kubernetes. The first row that fits a request wins, so the
special rows of a service stand above its general one. What no row names is not reachable from outside: health,
metrics, and paths that only services call.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

KIB = 1024
MIB = 1024 * KIB

READING = frozenset({"GET", "HEAD"})
POSTING = frozenset({"POST"})


class Entry(StrEnum):
    """Who may enter. The services check again; the edge is the first lock."""

    TOKEN = "token"  # noqa: S105 - not a password: a valid access token of our issuer
    PUBLIC = "public"  # without a token; one that is sent must be valid
    PROTOCOL = "protocol"  # the upstream checks credentials of its own kind: OpenID Connect


class RateClass(StrEnum):
    """Which token bucket a request draws from."""

    STANDARD = "standard"
    SEARCH = "search"
    LOGIN = "login"
    UPLOAD = "upload"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A token bucket: ``burst`` requests at once, ``per_second`` in the long run."""

    burst: int
    per_second: int


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The buckets of one class: by the token's subject for people and for clients, else by address.

    An address is often a whole service hall behind one translator, so its bucket is not smaller than a person's.
    """

    people: Bucket
    clients: Bucket
    addresses: Bucket


RATE_LIMITS: dict[RateClass, RateLimit] = {
    RateClass.STANDARD: RateLimit(Bucket(200, 40), Bucket(2000, 400), Bucket(400, 80)),
    RateClass.SEARCH: RateLimit(Bucket(60, 10), Bucket(300, 50), Bucket(200, 40)),
    # Guessing of passwords is stopped by identity, per account; this only bounds the load one address makes.
    RateClass.LOGIN: RateLimit(Bucket(60, 10), Bucket(60, 10), Bucket(300, 30)),
    RateClass.UPLOAD: RateLimit(Bucket(40, 4), Bucket(400, 40), Bucket(10, 1)),
}


@dataclass(frozen=True, slots=True)
class Route:
    """One row. ``path`` is an exact path, a template (``{}`` stands for one segment) or, by default, a prefix of segments.

    ``streamed`` bodies pass through without being held in memory and must say their length; others are read in
    full, up to ``body_limit`` bytes, before the upstream sees the first. ``timeout_seconds`` runs from the end of
    the request to the end of the answer. Only GET and HEAD are ever repeated, and ``retried`` can forbid even that.
    """

    path: str
    upstream: str
    entry: Entry = Entry.TOKEN
    methods: frozenset[str] | None = None
    exact: bool = False
    rate_class: RateClass = RateClass.STANDARD
    body_limit: int = MIB
    streamed: bool = False
    timeout_seconds: float = 15.0
    retried: bool = True

    @property
    def is_template(self) -> bool:
        return "{}" in self.path

    @property
    def pattern(self) -> str:
        """The template as a regular expression over the whole path."""
        return "[^/]+".join(re.escape(part) for part in self.path.split("{}"))

    def fits(self, method: str, path: str) -> bool:
        """Whether this row would take a request, as Envoy decides it."""
        if self.methods is not None and method not in self.methods:
            return False
        if self.is_template:
            return re.fullmatch(self.pattern, path) is not None
        return path == self.path or (not self.exact and path.startswith(self.path + "/"))


def public(
    path: str,
    upstream: str,
    methods: frozenset[str] = READING,
    *,
    exact: bool = False,
    timeout_seconds: float = 15.0,
) -> Route:
    """A row that needs no login: for reading, unless it says otherwise."""
    return Route(path, upstream, Entry.PUBLIC, methods, exact=exact, timeout_seconds=timeout_seconds)


def _asking(path: str, upstream: str, rate_class: RateClass) -> Route:
    """A question that anybody may ask, by POST because its words must not stand in an address."""
    return Route(path, upstream, Entry.PUBLIC, POSTING, exact=True, rate_class=rate_class)


def _import(path: str, upstream: str, body_limit: int) -> Route:
    """A whole file, loaded or refused as one."""
    return Route(
        path,
        upstream,
        methods=POSTING,
        exact=True,
        rate_class=RateClass.UPLOAD,
        body_limit=body_limit,
        streamed=True,
        timeout_seconds=120,
    )


SERVICES = ("identity", "acceptance", "certificates", "hotline", "evaluation", "gateway")

# Called by services directly, never through the edge; refused here although a general row below would fit.
INTERNAL_PATHS = ("/identity/v1/profiles", "/identity/v1/org")

ROUTES: tuple[Route, ...] = (
    # -- documents that anybody may read
    Route("/", "gateway", Entry.PUBLIC, READING, exact=True),
    public("/docs", "gateway"),
    public("/openapi.json", "gateway", exact=True),
    public("/asyncapi.json", "gateway", exact=True),
    public("/health", "gateway", exact=True),
    *(public(f"/{service}/v1/openapi.json", service, exact=True) for service in SERVICES),
    # -- identity: OpenID Connect looks at its own credentials (client secrets, assertions, cookies, its own tokens)
    public("/.well-known/oauth-authorization-server/identity", "identity", exact=True),
    _asking("/identity/v1/persons", "identity", RateClass.LOGIN),
    _asking("/identity/v1/phone-codes", "identity", RateClass.LOGIN),
    _asking("/identity/v1/password-resets", "identity", RateClass.LOGIN),
    public("/identity/v1/divisions", "identity"),
    public("/identity/v1/departments", "identity"),
    _import("/identity/v1/divisions/imports", "identity", 64 * MIB),
    Route("/identity/v1", "identity"),
    Route("/identity/login", "identity", Entry.PROTOCOL, rate_class=RateClass.LOGIN),
    Route("/identity/sign-up", "identity", Entry.PROTOCOL, rate_class=RateClass.LOGIN),
    Route("/identity/forgotten-password", "identity", Entry.PROTOCOL, rate_class=RateClass.LOGIN),
    Route("/identity/token", "identity", Entry.PROTOCOL, rate_class=RateClass.LOGIN),
    Route("/identity/device", "identity", Entry.PROTOCOL, rate_class=RateClass.LOGIN),
    Route("/identity/device_authorization", "identity", Entry.PROTOCOL, rate_class=RateClass.LOGIN),
    Route("/identity", "identity", Entry.PROTOCOL, body_limit=64 * KIB),
    # -- acceptance: the catalogue is for everybody, progress asks for its own password, downloads for a signed link
    *(public(f"/acceptance/v1/{kind}", "acceptance") for kind in ("items", "bundles", "themes")),
    public("/acceptance/v1/items/{}/plan", "acceptance", methods=POSTING),
    public("/acceptance/v1/bundles/{}/plan", "acceptance", methods=POSTING),
    public("/acceptance/v1/bundles/{}/savings", "acceptance", methods=POSTING),
    _asking("/acceptance/v1/catalogue/search", "acceptance", RateClass.SEARCH),
    _asking("/acceptance/v1/progress", "acceptance", RateClass.LOGIN),
    _import("/acceptance/v1/catalogue/imports", "acceptance", 20 * MIB),
    Route(
        "/acceptance/v1/files",
        "acceptance",
        methods=POSTING,
        exact=True,
        rate_class=RateClass.UPLOAD,
        body_limit=50 * MIB + 64 * KIB,  # the parts of a multipart body are a little more than the file
        streamed=True,
        timeout_seconds=60,
    ),
    public("/acceptance/v1/files/{}/content", "acceptance", timeout_seconds=60.0),
    Route("/acceptance/v1", "acceptance"),
    # -- certificates: anybody may check a licence that is shown to them
    public("/certificates/v1/licence-types", "certificates"),
    public("/certificates/v1/keys", "certificates"),
    _asking("/certificates/v1/verifications/public", "certificates", RateClass.SEARCH),
    _asking("/certificates/v1/verifications/documents", "certificates", RateClass.SEARCH),
    Route("/certificates/v1", "certificates"),
    Route("/hotline/v1", "hotline"),
    *(
        public(f"/evaluation/v1/{one}", "evaluation")
        for one in ("indicators", "review-options", "published-reviews")
    ),
    Route("/evaluation/v1", "evaluation"),
    Route("/gateway/v1", "gateway"),
)


def find(method: str, path: str, routes: Iterable[Route] = ROUTES) -> Route | None:
    """The row that takes a request, or none when it is not reachable from outside."""
    if any(path == internal or path.startswith(internal + "/") for internal in INTERNAL_PATHS):
        return None
    return next((route for route in routes if route.fits(method, path)), None)

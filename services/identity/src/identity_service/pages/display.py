"""How somebody wants to see the pages: language and size of type, chosen by plain links and kept in cookies."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import Request, Response

from identity_service.pages.wording import LANGUAGES, Language
from service_common.problem import language_of

_LANGUAGE_COOKIE = "lianban_language"
_LANGUAGE_PARAMETER = "lang"
_TYPE_COOKIE = "lianban_text"
_TYPE_PARAMETER = "text"
_LARGE, _NORMAL = "large", "normal"
_YEAR_SECONDS = 31_536_000


@dataclass(frozen=True, slots=True)
class Display:
    """What applies to one page, and the addresses that change it: none where the page cannot be asked for again."""

    language: Language
    is_large: bool
    to_other_language: str | None
    to_other_size: str | None


def display_of(request: Request, *, ui_locales: str, again: str | None) -> Display:
    """A person's own choice goes before what the client says of them, and that before what the browser says.

    ``again`` is the address at which a page that answers a form can be seen once more.
    """
    chosen = _chosen_language(request)
    language = chosen or _first_known(ui_locales) or ("en" if language_of(request) == "en" else "zh")
    is_large = _chosen_size(request) == _LARGE
    address = _own_address(request) if request.method == "GET" else again
    if address is None:
        return Display(language, is_large, None, None)
    other = "en" if language == "zh" else "zh"
    return Display(
        language,
        is_large,
        _with(address, _LANGUAGE_PARAMETER, other),
        _with(address, _TYPE_PARAMETER, _NORMAL if is_large else _LARGE),
    )


def keep_choices(request: Request, response: Response, *, secure: bool) -> None:
    """Remembers what was just chosen, for a year. No more than known words are ever kept."""
    chosen = [
        (_LANGUAGE_COOKIE, _asked(request, _LANGUAGE_PARAMETER, LANGUAGES)),
        (_TYPE_COOKIE, _asked(request, _TYPE_PARAMETER, (_LARGE, _NORMAL))),
    ]
    for cookie, value in chosen:
        if value is not None:
            response.set_cookie(
                cookie, value, max_age=_YEAR_SECONDS, path="/identity", httponly=True, samesite="lax", secure=secure
            )  # fmt: skip


def _chosen_language(request: Request) -> Language | None:
    chosen = _asked(request, _LANGUAGE_PARAMETER, LANGUAGES) or request.cookies.get(_LANGUAGE_COOKIE)
    return next((language for language in LANGUAGES if language == chosen), None)


def _chosen_size(request: Request) -> str | None:
    return _asked(request, _TYPE_PARAMETER, (_LARGE, _NORMAL)) or request.cookies.get(_TYPE_COOKIE)


def _asked(request: Request, parameter: str, known: tuple[str, ...]) -> str | None:
    value = request.query_params.get(parameter)
    return value if value in known else None


def _first_known(ui_locales: str) -> Language | None:
    """The first language tag we speak (OpenID Connect Core §3.1.2.1: in order of preference)."""
    for tag in ui_locales.split():
        primary = tag.split("-", 1)[0].lower()
        for language in LANGUAGES:
            if primary == language:
                return language
    return None


def _own_address(request: Request) -> str:
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path


def _with(address: str, parameter: str, value: str) -> str:
    parts = urlsplit(address)
    kept = [
        pair
        for pair in parse_qsl(parts.query, keep_blank_values=True)
        if pair[0] not in (_LANGUAGE_PARAMETER, _TYPE_PARAMETER)
    ]
    return f"{parts.path}?{urlencode([*kept, (parameter, value)])}"

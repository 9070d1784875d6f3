"""Sentences of the pages, by key, in Chinese and English: ``texts/zh.toml`` and ``texts/en.toml``."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Literal, get_args

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
TAGS: dict[Language, str] = {"zh": "zh-CN", "en": "en"}  # BCP 47, for `lang` and Content-Language


@cache
def texts(language: Language) -> Mapping[str, str]:
    """All sentences of a language: ``login.title`` and so on."""
    file = resources.files("identity_service.pages") / "texts" / f"{language}.toml"
    tables = tomllib.loads(file.read_text("utf-8"))
    return {f"{page}.{name}": text for page, table in tables.items() for name, text in table.items()}


def say(language: Language, key: str, **facts: object) -> str:
    """A sentence with its facts filled in. Raises: KeyError when there is none: a fault of ours."""
    return texts(language)[key].format(**facts)

"""How a citizen's words become tokens and weights, and what a title is worth for a token. Pure.

Chinese is cut into overlapping pairs of characters: no dictionary to keep, and a pair is rare enough to carry meaning. A
query is a row of concepts; each concept is said in one of several ways (the citizen's own words, or a synonym of the
catalogue), and an entry is as good as the best way for every concept.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gov_rules.divisions import NATION, parse_area_code
from service_common.errors import FieldProblem, Invalid


class EntryKind(StrEnum):
    """What can be found. A theme is a bundle whose guide the catalogue lacks."""

    BUNDLE = "BUNDLE"
    ITEM = "ITEM"
    THEME = "THEME"


# A bundle goes before an item when the match is as good: it spares the citizen the single items.
KIND_FACTOR: Mapping[EntryKind, float] = {EntryKind.BUNDLE: 1.25, EntryKind.THEME: 1.15, EntryKind.ITEM: 1.0}

# What people say around their wish. Cut out, longest first, after synonyms had their chance.
_FILLERS = (
    "需要什么 怎么样 怎么办 在哪里 能不能 我想要 一件事 一次办 我要 我想 我们 想要 需要 什么 怎么 怎样 如何 哪里 在哪 哪儿 "
    "哪些 哪个 去哪 请问 您好 你好 一下 可以 能否 是否 一个 一张 一家 办理 申请 手续 流程 材料 事情 业务 服务 帮我 或者 "
    "我 想 要 吗 呢 吧 啊 呀 了 的 得 个 家 办 帮 给 请 有 和 与 及 或"
)
_FILLER = re.compile(_FILLERS.replace(" ", "|"))
_RUNS = re.compile(r"[\u3400-\u9fff]+|[a-z0-9]+")
# Longer wishes are cut: a search box is not a letter.
LONGEST_TEXT = 100
# What a synonym is worth beside the citizen's own word; the first one named is the closest.
_SYNONYM_FACTOR = 0.95
_LATER_SYNONYM_FACTOR = 0.85
# A single character of the rest („开" before „小卖部") says little.
_SINGLE_CHARACTER_SHARE = 0.2
_EXACT_TITLE_BONUS = 0.5
# A token that stands in more entries than this costs milliseconds and tells nothing apart: it is looked up only where an
# alternative has no rarer one.
_TOO_FREQUENT = 5_000
# Entries that reach less than this share of the best one are noise.
RELATIVE_FLOOR = 0.45
ABSOLUTE_FLOOR = 0.12


class NothingToSearch(Invalid):
    """The text holds no character that could be looked for."""

    code = "nothing_to_search"
    zh = "请输入要查找的内容。"
    en = "Say what you are looking for."

    def __init__(self) -> None:
        super().__init__(fields=[FieldProblem("/text", self.code, self.zh, self.en)])


@dataclass(frozen=True, slots=True)
class Alternative:
    """One way to say a concept, and how much it counts."""

    words: str
    factor: float

    @property
    def tokens(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(query_tokens(self.words)))


@dataclass(frozen=True, slots=True)
class Concept:
    """One thing meant; ``share`` is its part of the whole wish."""

    alternatives: tuple[Alternative, ...]
    share: float


@dataclass(frozen=True, slots=True)
class Weighted:
    """A token to look up, for an alternative of a concept."""

    concept: int
    alternative: int
    token: str
    weight: float


def normalise(text: str) -> str:
    """Full width to half, lower case, punctuation to spaces."""
    folded = unicodedata.normalize("NFKC", text).lower()
    return " ".join(_RUNS.findall(folded))


def exact_token(text: str) -> str:
    """The token of a whole title: who types it exactly finds it first."""
    return "=" + normalise(text).replace(" ", "")[:120]


def query_tokens(text: str) -> Iterator[str]:
    """Pairs of Chinese characters, single ones where they stand alone, words of Latin letters and digits."""
    for run in _RUNS.findall(normalise(text)):
        if run[0].isascii() or len(run) == 1:
            yield run
        else:
            yield from (run[at : at + 2] for at in range(len(run) - 1))


def title_tokens(text: str) -> Iterator[str]:
    """As for queries, and every single character too: it is found when somebody asks for it alone."""
    yield from query_tokens(text)
    yield from (one for one in normalise(text) if not one.isascii())


def postings(fields: Iterable[tuple[str, float]]) -> dict[str, float]:
    """What each token of an entry is worth; ``fields`` are texts with their importance. Short texts say more per word."""
    worth: dict[str, float] = {}
    for text, importance in fields:
        tokens = set(title_tokens(text))
        pairs = sum(len(one) > 1 for one in tokens) or 1
        value = round(importance / (0.75 + pairs / 40), 4)
        for token in tokens:
            worth[token] = max(worth.get(token, 0.0), value)
    return worth


def understand(text: str, synonyms: Mapping[str, Sequence[str]]) -> tuple[Concept, ...]:
    """The concepts of a wish: known words with their synonyms, and what is left besides fillers.

    Raises: NothingToSearch.
    """
    wish = normalise(text)[:LONGEST_TEXT]
    concepts: list[tuple[tuple[Alternative, ...], float]] = []
    rest = wish
    for word in sorted(synonyms, key=len, reverse=True):
        if word in rest:
            rest = rest.replace(word, " ")
            concepts.append((_said_otherwise(word, synonyms[word]), float(len(word))))
    for part in _FILLER.sub(" ", rest).split():
        share = _SINGLE_CHARACTER_SHARE if len(part) == 1 else float(len(part))
        concepts.append(((Alternative(part, 1.0),), share))
    if not concepts and rest.strip():  # nothing but fillers, such as 「申请」: then they are what is meant
        concepts = [((Alternative(part, 1.0),), float(len(part))) for part in rest.split()]
    if not concepts:
        raise NothingToSearch
    whole = sum(share for _, share in concepts)
    return tuple(Concept(alternatives, share / whole) for alternatives, share in concepts)


def _said_otherwise(word: str, means: Sequence[str]) -> tuple[Alternative, ...]:
    factors = (_SYNONYM_FACTOR, *[_LATER_SYNONYM_FACTOR] * (len(means) - 1))
    others = (Alternative(one, factor) for one, factor in zip(means, factors, strict=True) if one != word)
    return (Alternative(word, 1.0), *others)


def weigh(
    text: str, concepts: Sequence[Concept], frequencies: Mapping[str, int], total: int
) -> list[Weighted]:
    """Weights that add up to about 1 for an entry that has everything; rare tokens count more."""

    def rarity(token: str) -> float:
        return math.log(1 + total / (frequencies.get(token, 0) + 0.5))

    weighted = [Weighted(-1, 0, exact_token(text), _EXACT_TITLE_BONUS)]
    for number, concept in enumerate(concepts):
        for variant, alternative in enumerate(concept.alternatives):
            tokens = alternative.tokens
            whole = sum(map(rarity, tokens))
            weighted += [
                Weighted(number, variant, one, concept.share * alternative.factor * rarity(one) / whole)
                for one in _telling(tokens, frequencies)
            ]
    return weighted


def _telling(tokens: Sequence[str], frequencies: Mapping[str, int]) -> Sequence[str]:
    known = [one for one in tokens if frequencies.get(one)]
    rare = [one for one in known if frequencies[one] <= _TOO_FREQUENT]
    return rare or sorted(known, key=lambda one: frequencies[one])[:1]


def division_chain(division: str) -> tuple[str, ...]:
    """A division and those that contain it, nearest first; what they offer can be had there.

    Raises: gov_rules.errors.InvalidIdentifier.
    """
    value = parse_area_code(division).value
    county = value[:6]
    chain = (
        value,
        f"{value[:9]}000",
        f"{county}999000",
        f"{county}000000",
        f"{value[:4]}00000000",
        f"{value[:2]}0000000000",
    )
    return tuple(dict.fromkeys((*chain, NATION)))

"""What a message is about, and whose duty that is. Pure: a person decides, this only proposes.

The classifier is a linear one over character n-grams of length 1 and 2, which for Chinese needs no word list. Its
features are 32-bit hashes, so that no text of a citizen is part of the program.
"""

import math
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hotline_service.departments.domain import KnownDepartment
from service_common.contracts.hotline import TicketKind

# Longer messages repeat themselves; the first part says what it is about.
_READ_CHARACTERS = 2000
_NOISE = re.compile(r"[\s*]+")

# How a caller's wish usually begins (standards §5.2). The order breaks ties: the more consequential kind first.
_KIND_CUES: Mapping[TicketKind, tuple[str, ...]] = {
    TicketKind.REPORT: ("举报", "检举", "揭发", "违法", "涉嫌", "偷税", "贪污", "传销", "诈骗"),
    TicketKind.COMPLAINT: ("投诉", "不满", "扰民", "乱收费", "拖欠", "态度恶劣", "不作为", "强制", "反映"),
    TicketKind.SUGGESTION: ("建议", "希望能够", "应当增设", "能否增设", "可否增加", "提议"),
    TicketKind.PRAISE: ("表扬", "感谢", "点赞", "锦旗"),
    TicketKind.CONSULT: (
        "咨询",
        "请问",
        "想问",
        "如何办理",
        "怎么办理",
        "什么时候",
        "是否可以",
        "需要什么",
        "吗",
    ),
    TicketKind.HELP: ("求助", "帮助", "帮忙", "解决", "停水", "停电", "漏水", "请求"),
}


@dataclass(frozen=True, slots=True)
class Scored:
    """A topic or kind with how much speaks for it: scores of one list add up to 1."""

    name: str
    score: float


@dataclass(frozen=True, slots=True)
class Classifier:
    """Weights by hashed feature: the inverse document frequency, then one weight per label."""

    labels: tuple[str, ...]
    weights: Mapping[int, tuple[float, ...]]
    bias: tuple[float, ...]
    sharpness: float

    def rank(self, text: str) -> list[Scored]:
        """Every label, likeliest first; probabilities are calibrated on held-out messages."""
        margins = self.margins(text)
        highest = max(margins)
        odds = [math.exp(self.sharpness * (one - highest)) for one in margins]
        ranked = [Scored(label, one / sum(odds)) for label, one in zip(self.labels, odds, strict=True)]
        return sorted(ranked, key=lambda one: -one.score)

    def margins(self, text: str) -> list[float]:
        """The raw score of each label, in the order of ``labels``."""
        known = [
            (entry, (1 + math.log(count)) * entry[0])
            for feature, count in count_features(text).items()
            if (entry := self.weights.get(feature))
        ]
        length = math.sqrt(sum(value * value for _, value in known)) or 1.0
        totals = list(self.bias)
        for entry, value in known:
            for label in range(len(totals)):
                totals[label] += entry[label + 1] * value / length
        return totals


def count_features(text: str) -> Counter[int]:
    """Hashed character n-grams of a message. The trainer and the running service both read through this."""
    clean = _NOISE.sub(" ", unicodedata.normalize("NFKC", text).lower())[:_READ_CHARACTERS]
    grams = [*clean, *(clean[i : i + 2] for i in range(len(clean) - 1))]
    return Counter(zlib.crc32(gram.encode()) for gram in grams if " " not in gram)


def rank_kinds(text: str) -> list[Scored]:
    """Kinds of tickets by the cue words of the message; what says nothing is most often a call for help."""
    hits = {kind: sum(text.count(cue) for cue in cues) for kind, cues in _KIND_CUES.items()}
    if not any(hits.values()):
        hits[TicketKind.HELP] = 1
    total = sum(hits.values())
    ranked = [Scored(kind.value, count / total) for kind, count in hits.items() if count]
    return sorted(ranked, key=lambda one: -one.score)


@dataclass(frozen=True, slots=True)
class Duty:
    """A kind of department that handles a topic: the words of its name, and those of a message that point to it."""

    kind: str
    name_words: tuple[str, ...]
    cues: tuple[str, ...]

    def is_held_by(self, department: KnownDepartment) -> bool:
        """Whether a department is of this kind, judged by its name."""
        return any(word in department.name or word in department.short_name for word in self.name_words)


@dataclass(frozen=True, slots=True)
class DutyList:
    """Topics with the kinds of departments that handle them, the usual one first."""

    duties: Mapping[str, tuple[Duty, ...]]

    def rank(self, topics: Sequence[Scored], text: str) -> list[tuple[Duty, float]]:
        """Kinds of departments by topic, and within a topic by cue words of the message."""
        scores: dict[str, tuple[Duty, float]] = {}
        for topic in topics:
            weighed = [
                (duty, (2 if place == 0 else 1) + 2 * sum(text.count(cue) for cue in duty.cues))
                for place, duty in enumerate(self.duties.get(topic.name, ()))
            ]
            total = sum(weight for _, weight in weighed)
            for duty, weight in weighed:
                before = scores.get(duty.kind, (duty, 0.0))[1]
                scores[duty.kind] = (duty, before + topic.score * weight / total)
        return sorted(scores.values(), key=lambda one: -one[1])


@dataclass(frozen=True, slots=True)
class SuggestedDepartment:
    """A department that probably has the duty."""

    department: KnownDepartment
    duty_kind: str
    score: float


def match_departments(
    duties: Sequence[tuple[Duty, float]], departments: Sequence[KnownDepartment], *, most: int = 5
) -> list[SuggestedDepartment]:
    """The nearest department of each kind; ``departments`` come nearest division first."""
    found: list[SuggestedDepartment] = []
    for duty, score in duties:
        holder = next((one for one in departments if duty.is_held_by(one)), None)
        if holder and all(one.department.id != holder.id for one in found):
            found.append(SuggestedDepartment(holder, duty.kind, score))
    return found[:most]

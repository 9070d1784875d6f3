"""Trains the topic classifier from labelled messages: ``python training/train_classifier.py FOLDER [--out FILE]``.

FOLDER holds ``train.csv`` with the columns ``title, content, label``. Four fifths of it train, one fifth measures, by a fixed
seed; then everything trains the model that is written. One-versus-rest linear support vector machines with squared
hinge loss, by dual coordinate descent (Hsieh et al., ICML 2008), in plain Python: about two minutes.

What is written are hashes and weights of n-grams that at least ``LEAST_MESSAGES`` messages share: no text can be read out of it.
"""

import argparse
import csv
import math
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import mul
from pathlib import Path

from hotline_service.suggestions.classifier import load_classifier, save_classifier
from hotline_service.suggestions.domain import count_features

SEED = 12345
HELD_OUT = 0.2
LEAST_MESSAGES = 5
KEPT_FEATURES = 32_000
EPOCHS = 12
COST = 0.3

_OUT = Path(__file__).parents[1] / "src" / "hotline_service" / "suggestions" / "classifier.json"

Message = tuple[str, str]
Vector = tuple[list[int], list[float]]


@dataclass(frozen=True)
class Machines:
    """One weight vector per label over positions of ``features``, the bias last."""

    labels: Sequence[str]
    features: Sequence[int]
    idf: Mapping[int, float]
    weights: Sequence[Sequence[float]]


def read_messages(folder: Path) -> list[Message]:
    """Text and label of every message."""
    with (folder / "train.csv").open(encoding="utf-8", newline="") as file:
        return [(f"{row['title']}\n{row['content']}", row["label"]) for row in csv.DictReader(file)]


def split(messages: Sequence[Message]) -> tuple[list[Message], list[Message]]:
    """A part to train and a part to measure, with the same share of each label."""
    by_label: dict[str, list[Message]] = defaultdict(list)
    for message in messages:
        by_label[message[1]].append(message)
    draw = random.Random(SEED)  # noqa: S311 - a repeatable split, no secret
    training: list[Message] = []
    measuring: list[Message] = []
    for label in sorted(by_label):
        draw.shuffle(by_label[label])
        cut = round(len(by_label[label]) * HELD_OUT)
        measuring += by_label[label][:cut]
        training += by_label[label][cut:]
    return training, measuring


def train(messages: Sequence[Message]) -> Machines:
    """Trains on every shared n-gram, keeps the weightiest, and trains again on those alone."""
    counts = [count_features(text) for text, _ in messages]
    frequency = Counter(feature for one in counts for feature in one)
    idf = {
        feature: math.log((1 + len(messages)) / (1 + seen)) + 1
        for feature, seen in frequency.items()
        if seen >= LEAST_MESSAGES
    }
    labels = sorted({label for _, label in messages})
    targets = [labels.index(label) for _, label in messages]
    features = sorted(idf)
    first = fit(counts, targets, labels, features, idf)
    weight = [sum(w[i] ** 2 for w in first) * idf[feature] ** 2 for i, feature in enumerate(features)]
    best = sorted(range(len(features)), key=lambda i: -weight[i])[:KEPT_FEATURES]
    kept = sorted(features[i] for i in best)
    return Machines(labels, kept, idf, fit(counts, targets, labels, kept, idf))


def fit(
    counts: Sequence[Counter[int]],
    targets: Sequence[int],
    labels: Sequence[str],
    features: Sequence[int],
    idf: Mapping[int, float],
) -> list[list[float]]:
    """Weights per label. Rare labels cost more, so that each counts the same."""
    place = {feature: i for i, feature in enumerate(features)}
    vectors = [vector_of(one, place, idf) for one in counts]
    share = Counter(targets)
    machines = []
    for label in range(len(labels)):
        signs = [1.0 if target == label else -1.0 for target in targets]
        costs = [COST * len(targets) / (len(labels) * share[target]) for target in targets]
        machines.append(_dual_coordinate_descent(vectors, signs, costs, len(features) + 1))
    return machines


def vector_of(counts: Counter[int], place: Mapping[int, int], idf: Mapping[int, float]) -> Vector:
    """Sublinear tf-idf of length 1, and a constant 1 for the bias."""
    known = [
        (place[feature], (1 + math.log(n)) * idf[feature])
        for feature, n in counts.items()
        if feature in place
    ]
    length = math.sqrt(sum(value * value for _, value in known)) or 1.0
    return [i for i, _ in known] + [len(place)], [value / length for _, value in known] + [1.0]


def _dual_coordinate_descent(
    vectors: Sequence[Vector], signs: Sequence[float], costs: Sequence[float], size: int
) -> list[float]:
    weights = [0.0] * size
    dual = [0.0] * len(vectors)
    curvature = [
        sum(map(mul, values, values)) + 0.5 / cost for (_, values), cost in zip(vectors, costs, strict=True)
    ]
    order = list(range(len(vectors)))
    draw = random.Random(SEED)  # noqa: S311 - a repeatable order, no secret
    for _ in range(EPOCHS):
        draw.shuffle(order)
        for k in order:
            places, values = vectors[k]
            margin = sum(map(mul, map(weights.__getitem__, places), values))
            gradient = signs[k] * margin - 1 + dual[k] * 0.5 / costs[k]
            moved = max(dual[k] - gradient / curvature[k], 0.0)
            step = (moved - dual[k]) * signs[k]
            if abs(step) > 1e-9:
                dual[k] = moved
                for i, value in zip(places, values, strict=True):
                    weights[i] += step * value
    return weights


def save(machines: Machines, file: Path, sharpness: float) -> None:
    """Writes the model that the service reads."""
    save_classifier(
        file,
        labels=machines.labels,
        idf={feature: machines.idf[feature] for feature in machines.features},
        weights={
            feature: [one[i] for one in machines.weights] for i, feature in enumerate(machines.features)
        },
        bias=[one[-1] for one in machines.weights],
        sharpness=sharpness,
    )


def calibrate(file: Path, measuring: Sequence[Message]) -> float:
    """The sharpness under which the held-out labels are likeliest (temperature scaling, Guo et al., ICML 2017)."""
    model = load_classifier(file)
    margins = [(model.margins(text), model.labels.index(label)) for text, label in measuring]

    def surprise(sharpness: float) -> float:
        total = 0.0
        for one, target in margins:
            top = max(one)
            total += math.log(sum(math.exp(sharpness * (x - top)) for x in one)) - sharpness * (
                one[target] - top
            )
        return total

    return min((0.5 + 0.1 * step for step in range(80)), key=surprise)


@dataclass(frozen=True)
class Figures:
    """What the held-out part says."""

    accuracy: float
    macro_f1: float
    among_first_two: float
    f1_by_label: Mapping[str, float]


def measure(file: Path, measuring: Sequence[Message]) -> Figures:
    """Reads the written file as the service does, so the figures include the rounding of its weights."""
    model = load_classifier(file)
    right, second, seen = Counter[str](), 0, Counter[str]()
    guessed = Counter[str]()
    for text, label in measuring:
        first, runner_up = (one.name for one in model.rank(text)[:2])
        seen[label] += 1
        guessed[first] += 1
        right[label] += first == label
        second += label in (first, runner_up)
    f1 = {label: 2 * right[label] / (seen[label] + guessed[label]) for label in model.labels}
    total = len(measuring)
    return Figures(right.total() / total, sum(f1.values()) / len(f1), second / total, f1)


def main() -> None:
    """Measure, then train on everything and write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0] if __doc__ else None)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=_OUT)
    arguments = parser.parse_args()
    started = time.monotonic()
    messages = read_messages(arguments.folder)
    training, measuring = split(messages)
    save(train(training), arguments.out, sharpness=1.0)
    sharpness = calibrate(arguments.out, measuring)
    figures = measure(arguments.out, measuring)
    save(train(messages), arguments.out, sharpness)
    size = arguments.out.stat().st_size // 1024
    lines = [
        f"trained on {len(training)}, measured on {len(measuring)} held-out messages",
        f"accuracy {figures.accuracy:.4f}  macro-F1 {figures.macro_f1:.4f}",
        f"right label among the first two: {figures.among_first_two:.4f}",
        *(f"  {label}: F1 {f1:.3f}" for label, f1 in figures.f1_by_label.items()),
        f"{arguments.out.name}: {size} KiB, sharpness {sharpness:.1f}, {time.monotonic() - started:.0f} s",
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

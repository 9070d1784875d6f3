"""The classifier's file: hashed features with quantised weights, about 400 kB, read without any library.

Each feature takes ``hash (4 bytes, little endian) | idf (1 byte) | one signed byte per label``.
"""

import base64
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from hotline_service.suggestions.domain import Classifier

_FORMAT = 1


def load_classifier(file: Path) -> Classifier:
    """Reads the weights. Raises: ValueError for a file of another format."""
    stored = json.loads(file.read_text(encoding="utf-8"))
    if stored["format"] != _FORMAT:
        raise ValueError(f"{file.name} is not a classifier of format {_FORMAT}")
    labels, scales, idf_scale = stored["labels"], stored["scales"], stored["idf_scale"]
    packed = zlib.decompress(base64.b64decode(stored["features"]))
    weights = {
        feature: (idf * idf_scale, *(one * scale for one, scale in zip(values, scales, strict=True)))
        for feature, idf, *values in struct.iter_unpack(f"<IB{len(labels)}b", packed)
    }
    return Classifier(tuple(labels), weights, tuple(stored["bias"]), stored["sharpness"])


def save_classifier(
    file: Path,
    *,
    labels: Sequence[str],
    idf: Mapping[int, float],
    weights: Mapping[int, Sequence[float]],
    bias: Sequence[float],
    sharpness: float,
) -> None:
    """Writes the weights, each in a byte. Same weights, same file: features are sorted by hash."""
    scales = [max(abs(one[label]) for one in weights.values()) / 127 for label in range(len(labels))]
    idf_scale = max(idf.values()) / 255
    packed = b"".join(
        struct.pack(
            f"<IB{len(labels)}b",
            feature,
            max(1, round(idf[feature] / idf_scale)),
            *(round(one / scale) for one, scale in zip(weights[feature], scales, strict=True)),
        )
        for feature in sorted(weights)
    )
    stored = {
        "format": _FORMAT,
        "labels": list(labels),
        "scales": scales,
        "idf_scale": idf_scale,
        "bias": list(bias),
        "sharpness": sharpness,
        "features": base64.b64encode(zlib.compress(packed, 9)).decode(),
    }
    file.write_text(json.dumps(stored, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

"""What a bundle's document must hold together, shown by taking the project's own convenience-store bundle apart."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acceptance_service.catalogue.bundle_definition import BundleDefinition, complete_paths

BUNDLES = Path(__file__).resolve().parents[4] / "data" / "catalogue" / "bundles"
STORE: dict[str, Any] = json.loads((BUNDLES / "43TCP0018.json").read_text())


@pytest.mark.parametrize("path", sorted(BUNDLES.glob("*.json")), ids=lambda path: path.stem)
def test_every_bundle_of_the_catalogue_is_sound(path: Path) -> None:
    bundle = BundleDefinition.model_validate_json(path.read_text())
    assert any(complete_paths(bundle)) or not bundle.scenario.questions


def broken(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    document = copy.deepcopy(STORE)
    change(document)
    return document


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda one: one["items"].append(one["items"][0]), "repeated"),
        (lambda one: one["items"].pop(4), "no item"),
        (lambda one: one["scenario"]["questions"].reverse(), "asked later"),
        (lambda one: one["items"][0].update(when={"eq": ["entity_type", "robot"]}), "no option robot"),
        (lambda one: one["items"][4].update(when={"eq": ["public_place", "yes"]}), "select no item"),
        (lambda one: one["materials"][0].update(items=["NO-SUCH-ITEM"]), "no item NO-SUCH-ITEM"),
        (lambda one: one["form"]["properties"]["uscc"].pop("x-items"), "x-items"),
        (lambda one: one["form"]["properties"]["uscc"].update({"x-when": {"eq": ["x", "y"]}}), "unknown"),
        (lambda one: one["form"]["properties"]["uscc"].update(type="colour"), "not a JSON Schema"),
        (lambda one: one["form"]["properties"]["uscc"].update({"$ref": "http://127.0.0.1/"}), "references"),
        (lambda one: one["form"]["required"].append("nothing"), "nothing"),
        (
            lambda one: one["sequence"].append(
                {
                    "item": one["sequence"][0]["after"][0],
                    "after": [one["sequence"][0]["item"]],
                    "origin": one["origin"],
                }
            ),
            "wait for each other",
        ),
        (lambda one: one["regions"].append(one["regions"][0]), "repeated"),
        (lambda one: one["items"][0].update(when={"eq": [["entity_type"], "a"]}), "unknown"),
        (lambda one: one["items"][0].update(when={"in": ["entity_type", [["company"]]]}), "no option"),
        (lambda one: one["scenario"]["questions"][1].update(when={"all": [1]}), "one operator"),
        (lambda one: one["form"]["properties"]["uscc"].update({"x-items": [["a"]]}), "x-items"),
    ],
)
def test_a_bundle_that_contradicts_itself_is_refused(
    change: Callable[[dict[str, Any]], object], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        BundleDefinition.model_validate(broken(change))

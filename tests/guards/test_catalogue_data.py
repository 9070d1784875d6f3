"""The catalogue's files fit their schemas, refer to what exists and keep the figures of their sources."""

import csv
import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from stdnum.cn import uscc as credit_code

from gov_rules.divisions import NATION, is_within

DATA = Path(__file__).resolve().parents[2] / "data"
CATALOGUE = DATA / "catalogue"
SCHEMAS = ("common", "item", "bundle", "departments", "licence_types")
BUNDLES = sorted(path.stem for path in (CATALOGUE / "bundles").glob("*.json"))
IDENTITY_PREFILLS = {f"identity.person.{field}" for field in ("name", "id_number", "phone")}

# Copied from the source by hand: theme → limit, linked items, materials, limits of the links in order.
SOURCE_FIGURES: dict[str, tuple[int, int, int, list[int]]] = {
    "43TCP0018": (13, 6, 16, [10, 7, 10, 10, 2, 1]),
    "43TCN0003": (4, 6, 10, [1, 10, 1, 10, 10, 1]),
    "43TCN0008": (5, 21, 8, [3] * 14 + [2, 11, 2, 3, 3, 5, 1]),
    "43PCN0013": (22, 11, 8, [20, 15, 15, 15, 15, 35, 5, 1, 35, 15, 35]),
    "43PCP0008": (30, 14, 8, [1, 1, 30, 30, 5, 10, 3, 2, 3, 3, 1, 5, 2, 30]),
    "43PCN0010": (30, 5, 5, [15, 15, 15, 15, 5]),
    "43TCN0001": (6, 19, 7, [3] * 12 + [1, 1, 5, 1, 3, 3, 15]),
    "43PCN0012": (37, 12, 10, [22, 22, 22, 8, 6, 22, 15, 15, 3, 7, 3, 1]),
    "43TCN0002": (5, 3, 15, [2, 5, 5]),
    "43PCP0010": (20, 8, 2, [5, 1, 10, 20, 20, 20, 3, 30]),
    "43PCP0017": (75, 9, 11, [40, 40, 40, 20, 30, 25, 30, 25, 5]),
    "43TCP0015": (10, 6, 18, [8, 8, 8, 20, 8, 2]),
}
# steps, limit, materials, visits before → after, for the four themes whose record states them.
SOURCE_REFORM = {
    "43TCP0018": (4, 1, 30, 13, 32, 15, 4, 0),
    "43TCN0008": (10, 2, 20, 5, 29, 10, 10, 1),
    "43PCN0013": (16, 3, 110, 22, 23, 3, 6, 0),
    "43PCP0008": (35, 5, 60, 30, 27, 7, 14, 0),
}


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@cache
def items() -> dict[str, dict[str, Any]]:
    rows = [
        json.loads(line)
        for name in ("guangan", "hunan")
        for line in (CATALOGUE / "items" / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert len({row["code"] for row in rows}) == len(rows), "an item code occurs twice"
    return {row["code"]: row for row in rows}


@cache
def departments() -> dict[str, dict[str, Any]]:
    return {row["code"]: row for row in load(CATALOGUE / "departments.json")["departments"]}


@cache
def licence_types() -> dict[str, dict[str, Any]]:
    return {row["code"]: row for row in load(DATA / "licence_types.json")["licence_types"]}


def bundle(code: str) -> Any:
    return load(CATALOGUE / "bundles" / f"{code}.json")


def table(path: Path) -> list[dict[str, str]]:
    if path.suffix == ".gz":
        with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as lines:
            return list(csv.DictReader(lines))
    with path.open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines))


def validator(name: str) -> Draft202012Validator:
    schemas = {each: load(CATALOGUE / "schema" / f"{each}.schema.json") for each in SCHEMAS}
    registry: Registry[Any] = Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in schemas.values()
    )
    return Draft202012Validator(schemas[name], registry=registry)


def complaints(name: str, document: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(document)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_a_valid_schema(name: str) -> None:
    Draft202012Validator.check_schema(load(CATALOGUE / "schema" / f"{name}.schema.json"))


def test_every_item_fits_its_schema() -> None:
    checker = validator("item")
    wrong = [
        f"{code}: {error.message}" for code, row in items().items() for error in checker.iter_errors(row)
    ]
    assert wrong == []


@pytest.mark.parametrize("code", BUNDLES)
def test_every_bundle_fits_its_schema(code: str) -> None:
    document = bundle(code)
    assert complaints("bundle", document) == []
    assert document["code"] == code


def test_departments_and_licence_types_fit_their_schemas() -> None:
    assert complaints("departments", load(CATALOGUE / "departments.json")) == []
    assert complaints("licence_types", load(DATA / "licence_types.json")) == []


def test_a_field_the_schema_does_not_know_is_refused() -> None:
    item = dict(next(iter(items().values())), invented_limit=5)
    assert complaints("item", item) != []


def test_a_compiled_element_without_evidence_is_refused() -> None:
    document = bundle("43TCP0018")
    del document["items"][0]["origin"]["evidence"]
    assert complaints("bundle", document) != []


def test_counts_equal_the_sources() -> None:
    documents = [bundle(code) for code in BUNDLES]
    guided = {
        (row.get("basic_code") or row["local_basic_code"], row["business_code"]): len(row["materials"])
        for row in items().values()
        if row["completeness"] == "guide"
    }
    assert len(documents) == 12
    assert sum(len(document["items"]) for document in documents) == 120
    assert sum(len(document["materials"]) for document in documents) == 118
    assert len(guided) == 13
    assert sum(guided.values()) == 74
    assert sum(code.startswith("HN-") for code in items()) == 124  # 120 links and 4 guides no theme links
    assert sum(not code.startswith("HN-") for code in items()) == 1135


def test_guangan_keeps_its_departments_and_item_types() -> None:
    rows = [row for code, row in items().items() if not code.startswith("HN-")]
    counts = {kind: sum(row["item_type"] == kind for row in rows) for kind in ("01", "20", "10", "07", "05")}
    assert counts == {"01": 536, "20": 348, "10": 182, "07": 50, "05": 9}
    assert len({row["department"] for row in rows}) == 34
    assert {row["division"] for row in rows} == {"511602000000"}


def test_divisions_keep_their_counts_and_hang_together() -> None:
    counties = table(DATA / "divisions" / "divisions_to_county.csv")
    townships = table(DATA / "divisions" / "townships.csv")
    villages = table(DATA / "divisions" / "villages_hubei_hunan.csv.gz")
    assert (len(counties), len(townships), len(villages)) == (3351, 41352, 56591)
    codes = {row["code"] for row in counties}
    assert {row["parent_code"] for row in counties if row["parent_code"]} <= codes
    assert {row["county_code"] for row in townships} <= codes
    assert {row["township_code"] for row in villages} <= {row["code"] for row in townships}


@pytest.mark.parametrize("code", sorted(SOURCE_FIGURES))
def test_a_theme_keeps_the_limits_and_lengths_of_the_source(code: str) -> None:
    document = bundle(code)
    found = (
        document["promised_limit"]["value"],
        len(document["items"]),
        len(document["materials"]),
        [link["promised_limit"]["value"] for link in document["items"]],
    )
    assert found == SOURCE_FIGURES[code]


def test_reform_figures_are_the_sources_and_absent_elsewhere() -> None:
    keys = [
        f"{what}_{when}" for what in ("steps", "limit", "materials", "visits") for when in ("before", "after")
    ]
    for code in BUNDLES:
        reform = bundle(code)["reform"]
        if code in SOURCE_REFORM:
            assert tuple(reform[key] for key in keys) == SOURCE_REFORM[code], code
        else:
            assert set(reform) <= {"steps_after"}, code


def test_themes_without_a_guide_are_shown_as_lacking() -> None:
    themes = table(CATALOGUE / "themes.csv")
    assert len(themes) == 58
    assert sorted(row["code"] for row in themes if row["guide"] == "full") == BUNDLES
    assert {row["guide"] for row in themes} == {"full", "none"}


def test_no_promise_is_longer_than_the_law_allows() -> None:
    for code, row in items().items():
        if "statutory_limit" in row:
            assert row["promised_limit"]["unit"] == row["statutory_limit"]["unit"]
            assert row["promised_limit"]["value"] <= row["statutory_limit"]["value"], code


def test_departments_exist_wherever_they_are_named() -> None:
    named = {row["department"] for row in items().values()}
    named |= {row["guiding_department"] for row in items().values() if "guiding_department" in row}
    named |= {row["authority"] for row in licence_types().values()}
    for document in map(bundle, BUNDLES):
        named.add(document["lead_department"])
        for region in document["regions"]:
            named.add(region["lead_department"])
            named |= {row["department"] for row in region["cooperating"] if row["department"]}
    assert named <= set(departments())


def test_every_department_and_item_sits_in_a_real_division() -> None:
    known = {row["code"] + "000000" for row in table(DATA / "divisions" / "divisions_to_county.csv")}
    assert {row["division"] for row in departments().values()} <= known
    assert {row["division"] for row in items().values()} <= known


def test_credit_codes_are_valid_and_synthetic_ones_cannot_be_real() -> None:
    rows = departments().values()
    assert len({row["uscc"] for row in rows}) == len(rows)
    for row in rows:
        assert credit_code.is_valid(row["uscc"]), row["code"]
        assert row["uscc"][2:4] == "99" or row["is_official"], row["code"]
        assert not (row["uscc"][2:4] == "99" and row["is_official"]), row["code"]


def test_implementing_codes_of_items_are_valid_credit_codes() -> None:
    implementing = [row["implementing_uscc"] for row in items().values() if "implementing_uscc" in row]
    assert implementing
    assert all(credit_code.is_valid(code) for code in implementing)


def test_only_stated_licence_codes_are_official() -> None:
    for code, row in licence_types().items():
        assert row["is_official"] == (row["code_known"] == "stated"), row["name"]
        assert row["code_known"] != "local" or code[2:4] == "99", row["name"]


def test_licence_names_and_aliases_are_unique() -> None:
    names = [name for row in licence_types().values() for name in (row["name"], *row["aliases"])]
    assert len(set(names)) == len(names)


def test_licence_types_exist_wherever_they_are_named() -> None:
    named = re.findall(
        r'"licence_type_code": ?"([^"]+)"',
        json.dumps([list(items().values()), [bundle(code) for code in BUNDLES]]),
    )
    assert named
    assert set(named) <= set(licence_types())


def test_every_licence_that_an_item_results_in_is_its_departments_to_issue() -> None:
    """A granted case whose department may not issue the licence would wait for it for ever."""
    kinds = {one["uscc"]: one["kind"] for one in load(DATA / "licence_types.json")["issuer_kinds"]}
    results = [one for one in items().values() if one.get("result", {}).get("licence_type_code")]
    assert results
    for item in results:
        department = departments()[item["department"]]
        rules = licence_types()[item["result"]["licence_type_code"]]["issuers"]
        assert any(
            rule.get("kind", kinds[department["uscc"]]) == kinds[department["uscc"]]
            and rule.get("uscc", department["uscc"]) == department["uscc"]
            and is_within(department["division"], rule.get("division", NATION))
            for rule in rules
        ), (item["code"], department["name"])


def test_every_prefill_names_a_value_that_exists() -> None:
    surface = {
        f"licence.{row['name']}.{field['name']}"
        for row in licence_types().values()
        for field in row["surface_fields"]
    }
    fields = [field for document in map(bundle, BUNDLES) for field in document["form"]["properties"].values()]
    prefills = {field["x-prefill"] for field in fields if "x-prefill" in field}
    prefills |= {
        field["prefill"]
        for row in items().values()
        for field in row.get("form_fields", [])
        if "prefill" in field
    }
    assert prefills <= surface | IDENTITY_PREFILLS


def test_sources_are_described() -> None:
    known = {row["id"] for row in load(CATALOGUE / "sources.json")["sources"]}
    text = json.dumps(
        [list(items().values()), list(departments().values()), [bundle(code) for code in BUNDLES]]
    )
    assert set(re.findall(r'"source": "([a-z]+-[a-z]+-[0-9-]+)"', text)) <= known


def test_synonyms_lead_to_words_of_the_catalogue() -> None:
    titles = [row["title"] for row in table(CATALOGUE / "themes.csv")]
    titles += [f"{row['name']} {row['handling_name'] or ''}" for row in items().values()]
    rows = table(CATALOGUE / "synonyms.csv")
    assert len(rows) >= 150
    assert len({row["word"] for row in rows}) == len(rows)
    lost = [
        (row["word"], word)
        for row in rows
        for word in row["means"].split("|")
        if not any(word in title for title in titles)
    ]
    assert lost == []


def test_no_personal_number_is_in_the_data() -> None:
    resident_number = re.compile(
        r"(?<![0-9A-Z])[1-9]\d{5}(19|20)\d{2}(0[1-9]|1[0-2])\d{2}\d{3}[0-9X](?![0-9A-Z])"
    )
    mobile = re.compile(r"(?<![0-9])1[3-9]\d{9}(?![0-9])")
    for path in [*CATALOGUE.rglob("*.json"), *CATALOGUE.rglob("*.jsonl")]:
        text = path.read_text(encoding="utf-8")
        assert resident_number.search(text) is None, path.name
        assert mobile.search(text) is None, path.name


def rows_of(path: Path) -> int:
    if path.suffix == ".jsonl":
        return len(path.read_text(encoding="utf-8").splitlines())
    if path.suffix == ".json":
        rows, *_ = load(path).values()  # what else a file holds is about its rows
        return len(rows)
    return len(table(path))


def test_the_readme_states_the_rows_of_every_file() -> None:
    readme = (DATA / "README.md").read_text(encoding="utf-8")
    stated = dict(
        re.findall(r"^\| ([a-z_/]+\.(?:csv|csv\.gz|jsonl|json)) \| ([0-9,]+) \|", readme, re.MULTILINE)
    )
    assert len(stated) == 10
    assert {name: rows_of(DATA / name) for name in stated} == {
        name: int(count.replace(",", "")) for name, count in stated.items()
    }

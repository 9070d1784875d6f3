"""Compiles data/ from the raw source and the editors' curation.

Run from the root of the repository: `python -m scripts.compile_catalogue RAW`, where RAW holds the folders
`hunan_services`, `service_items` and `admin_divisions`. The same input gives the same files, byte for byte.
"""

import argparse
from pathlib import Path

from scripts.catalogue.bundles import BundleCompiler, name_lead_departments
from scripts.catalogue.departments import Departments
from scripts.catalogue.divisions import copy_divisions
from scripts.catalogue.files import (
    Json,
    read_csv,
    read_json_lines,
    write_csv,
    write_json,
    write_json_lines,
)
from scripts.catalogue.items import HunanItems, compile_guangan
from scripts.catalogue.licence_types import LicenceTypes

DATA = Path(__file__).resolve().parent.parent / "data"


def compile_catalogue(raw: Path, data: Path) -> None:
    """Writes divisions, departments, licence types, items, bundles and the list of themes."""
    curation, catalogue = DATA / "catalogue" / "curation", data / "catalogue"
    guides = read_json_lines(raw / "hunan_services" / "items_full.jsonl")
    themes = read_json_lines(raw / "hunan_services" / "themes_full.jsonl")
    guangan = read_csv(raw / "service_items" / "guangan_district_items.csv")

    departments = Departments(curation)
    departments.name_guiding_departments(guides)
    name_lead_departments(curation, themes, departments)
    types = LicenceTypes(curation, departments)
    items = HunanItems(curation, guides, departments, types)
    compiler = BundleCompiler(curation, departments, items, types)
    bundles = [compiler.compile(theme) for theme in themes]
    items.add_standalone()
    guangan_departments = departments.add_guangan(guangan)

    copy_divisions(raw / "admin_divisions", data / "divisions")
    write_json_lines(catalogue / "items" / "guangan.jsonl", compile_guangan(guangan, guangan_departments))
    write_json_lines(catalogue / "items" / "hunan.jsonl", items.rows())
    for bundle in bundles:
        write_json(catalogue / "bundles" / f"{bundle['code']}.json", bundle)
    write_json(catalogue / "departments.json", {"departments": departments.rows()})
    types_file = {"licence_types": types.rows(), "issuer_kinds": departments.kinds()}
    write_json(data / "licence_types.json", types_file)
    _write_themes(catalogue / "themes.csv", raw, {bundle["code"]: bundle for bundle in bundles})


def _write_themes(path: Path, raw: Path, bundles: dict[str, Json]) -> None:
    titles = read_csv(raw / "hunan_services" / "one_thing_themes.csv")
    rows = [
        [row["theme_code"], row["title"], row["region_guides"], row["distinct_versions"], guide]
        for row in titles
        for guide in ["full" if row["theme_code"] in bundles else "none"]
    ]
    write_csv(path, ["code", "title", "region_guides", "distinct_versions", "guide"], rows)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=compile_catalogue.__doc__)
    parser.add_argument("raw", type=Path, help="folder of the raw source")
    parser.add_argument("--data", type=Path, default=DATA, help="folder to write into")
    arguments = parser.parse_args()
    compile_catalogue(arguments.raw, arguments.data)


if __name__ == "__main__":
    main()

"""``make bench``: every figure as a ratio against a peer, or a limit, in the same run."""

import importlib
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.result import Result

# Each module: `missing() -> str | None` and `measure(folder) -> list[Result]`.
MODULES = ("edge", "search", "identity", "platform")
LATEST = Path(__file__).parent / "results" / "latest.json"

console = Console()


def main(only: list[str]) -> int:
    """Measures all, or the named modules, prints a table and writes the results."""
    results: list[Result] = []
    for name in only or MODULES:
        module = importlib.import_module(f"bench.{name}")
        lacking = module.missing()
        if lacking:
            console.print(f"[yellow]skipped {name}: this machine lacks {lacking}")
            continue
        console.print(f"measuring {name} …")
        results += _measure(module.measure)
    _write(results)
    console.print(_table(results))
    return 0


def _measure(measure: Callable[[Path], list[Result]]) -> list[Result]:
    with tempfile.TemporaryDirectory(prefix="lianban-bench-") as folder:
        return measure(Path(folder))


def _write(results: list[Result]) -> None:
    """Figures of this run replace those of the same name; the others stay."""
    before = json.loads(LATEST.read_text())["results"] if LATEST.exists() else []
    fresh = {one.name: one.model_dump(exclude={"at_most"}) for one in results}
    kept = [fresh.pop(one["name"], one) for one in before]
    LATEST.write_text(json.dumps({"results": [*kept, *fresh.values()]}, ensure_ascii=False, indent=1) + "\n")


def _table(results: list[Result]) -> Table:
    table = Table("name", "value", "goal", "", "detail", title="Benchmarks")
    for one in results:
        sign = "≤" if one.at_most else "≥"
        mark = "[green]reached" if one.reached else "[red]not reached"
        table.add_row(one.name, f"{one.value:g} {one.unit}", f"{sign} {one.goal:g}", mark, one.detail)
    return table


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The benchmarks behind docs/performance.md (`make bench`), which write benchmarks/results/.

Each benchmark is a module beside this one; `--only` selects benchmarks, `--events` the sizes of hours.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from benchmarks import backfill, baseline, fixed_cost, growth, identity, stages, wire_width
from benchmarks.homes import land_hour
from benchmarks.processes import measure
from benchmarks.report import Section, write

BENCHMARKS = ("stages", "baseline", "wire", "fixed", "growth", "identity", "backfill")
RESULTS = Path(__file__).parent / "results"
BASELINE_EVENTS = 1_000_000
"""The largest hour for pandas, which needs more memory for more than small machines have."""


def run_benchmarks(arguments: argparse.Namespace, folder: Path) -> Iterator[Section]:
    """Run the selected benchmarks, and yield the section of each."""
    selected = arguments.only
    for events in arguments.events if {"stages", "baseline", "wire"} & set(selected) else ():
        home = folder / f"hour{events}"
        measure(land_hour, home=home, events=events, identified_percent=arguments.identified_percent)
        section, measured = stages.run(home, events)
        yield section
        if "baseline" in selected and events <= BASELINE_EVENTS:
            yield baseline.run(home, events, measured[stages.TO_PAYLOADS])
        if "wire" in selected and events == arguments.events[0]:
            yield wire_width.run(home)
        shutil.rmtree(home)
    if "fixed" in selected:
        yield fixed_cost.run(folder / "fixed")
    if "growth" in selected:
        yield growth.run(folder / "growth")
        shutil.rmtree(folder / "growth")
    if "identity" in selected:
        yield identity.run(folder / "identity")
        shutil.rmtree(folder / "identity")
    if "backfill" in selected:
        yield backfill.run(folder / "backfill", arguments.backfill_hours)


def main() -> None:
    """Run the selected benchmarks, and write and print their results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[100_000, 1_000_000], help="of an hour; several sizes")
    parser.add_argument("--identified-percent", type=int, default=40, help="of the events carry identifiers")
    parser.add_argument("--backfill-hours", type=int, default=144, help="720 are a month")
    parser.add_argument(
        "--only", nargs="+", choices=BENCHMARKS, default=BENCHMARKS, metavar="BENCHMARK", help="of: %(choices)s"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="the folder that gets the results")
    parser.add_argument("--name", default="latest", help="of the results' files")
    arguments = parser.parse_args()
    sections = []
    with tempfile.TemporaryDirectory(prefix="snap-pipeline-bench-") as folder:
        for section in run_benchmarks(arguments, Path(folder)):
            print(
                f"{section.title}: " + "; ".join(f"{g.what} {g.measured:.3g}" for g in section.goals), file=sys.stderr
            )
            sections.append(section)
            path = write(arguments.results, arguments.name, sections)
    Console(width=140).print(Markdown(path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()

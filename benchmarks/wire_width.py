"""The cost of sending every field, compared with a narrow event. The bodies are made as delivery makes them.

The narrow event is written in two ways: as by the pipeline's first version, which the goal refers to, and as all fields
are written today, which shows the cost of their number alone.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

import duckdb

from benchmarks.homes import HOUR, open_home
from benchmarks.processes import measure
from benchmarks.report import Goal, Section, Table
from snap_pipeline.capi.api_version import DIALECTS
from snap_pipeline.capi.limits import MAXIMUM_EVENTS
from snap_pipeline.lake import storage
from snap_pipeline.lake.storage import literal

ROUNDS = 3
FIRST = "narrow, as first written"
ROWS = 200_000


def build_bodies(home: str) -> Mapping[str, Any]:
    """Measure the CPU seconds of the projections in turns, over the first rows of the hour's payloads."""
    pipeline = open_home(home)
    folder = Path(__file__).parent
    projections = {
        FIRST: (folder / "wire_narrow_first.sql").read_text(),
        "narrow": (folder / "wire_narrow.sql").read_text(),
        "all fields": DIALECTS["v3"].projection,
    }
    seconds: dict[str, list[float]] = {name: [] for name in projections}
    with pipeline.lake.connect() as connection:
        path = literal(pipeline.lake.storage.path(storage.partition(storage.Table.CONVERSION_PAYLOADS, HOUR)))
        connection.execute(f"create view conversion_payloads as from read_parquet({path}, file_row_number = true)")
        connection.execute(
            "create table due as select file_row_number, file_row_number as position from conversion_payloads "
            f"where file_row_number < {ROWS}"
        )
        (rows,) = connection.execute("select count(*) from due").fetchone() or (0,)
        for _ in range(ROUNDS):
            for name, query in projections.items():
                started = time.process_time()
                drain(connection, f"select position, event_id, encode(body) from ({query}) order by position")
                seconds[name].append(time.process_time() - started)
    ratios = (wide / narrow for narrow, wide in zip(seconds[FIRST], seconds["all fields"], strict=True))
    return {
        "seconds": {name: min(taken) for name, taken in seconds.items()},
        "rows": rows,
        "ratio": median(ratios),
    }


def drain(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Read all rows, a batch at a time."""
    cursor = connection.execute(query)
    while cursor.fetchmany(MAXIMUM_EVENTS):
        pass


def run(home: Path) -> Section:
    """Compare the projections over the payloads of a home."""
    result = measure(build_bodies, home=home).result
    rows = [
        [name, f"{seconds:.2f}", f"{seconds * 1e6 / result['rows']:.1f}"] for name, seconds in result["seconds"].items()
    ]
    return Section(
        "The width of the wire projection",
        f"{result['rows']:,} bodies of v3, in turns, the best of {ROUNDS} rounds; the ratio is their median.",
        [
            Goal(
                "all fields on the wire, over the narrow event as first written (benchmarks/wire_narrow_first.sql)",
                result["ratio"],
                1.5,
                "at most",
            )
        ],
        [Table(("", "CPU seconds", "microseconds an event"), rows)],
    )

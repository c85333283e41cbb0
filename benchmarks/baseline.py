"""The pipeline compared with hand-written pandas, whose output is checked to be identical, and with a bare scan."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import floor, pandas_job
from benchmarks.homes import HOUR, open_home
from benchmarks.processes import Measured, measure
from benchmarks.report import Goal, Section, Table
from snap_pipeline.lake import storage
from snap_pipeline.lake.storage import literal


def differing_rows(home: str) -> Mapping[str, Any]:
    """Count the payload rows of pandas and of the pipeline that differ from the other's in any column."""
    pipeline = open_home(home)
    payloads = storage.partition(storage.Table.CONVERSION_PAYLOADS, HOUR)
    lake = pipeline.lake
    with lake.connect() as connection:
        described = lake.storage.columns(connection, payloads)
    # This traffic has no dropped values and none from other events, so that pandas has no columns for them. It resolves
    # no identities.
    columns = [(name, kind) for name, kind in described if name not in ("dropped", "linked", "subject_number")]
    kinds = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in columns)
    names = ", ".join(f'"{name}"' for name, _ in columns)
    other = f"read_json({literal(Path(home) / 'payloads.ndjson')}, columns = {{{kinds}}}, format = 'newline_delimited')"
    with pipeline.lake.connect() as connection:
        connection.execute(f"create view ours as select {names} from {lake.storage.scan([payloads])}")
        connection.execute(f"create view theirs as select {names} from {other}")
        # Whole rows as digests: a set operation over wide rows of a large hour would not fit into memory.
        digests = "select md5(to_json(p)::varchar) as digest from {} as p"
        row = connection.execute(
            f"""
            select count(*) from (
                select digest from ({digests.format("ours")} union all {digests.format("theirs")})
                group by digest
                having count(*) != 2
            )
            """
        ).fetchone()
        differing = row[0] if row else None
        examples = {
            name: connection.execute(
                f'select count(*) from ours join theirs using (event_id) where ours."{name}" is distinct from '
                f'theirs."{name}"'
            ).fetchone()
            for name, _ in columns
            if differing
        }
    return {"rows": differing, "by_column": {name: n[0] for name, n in examples.items() if n and n[0]}}


def run(home: Path, events: int, ours: Measured) -> Section:
    """Compare with the measured run of the pipeline from raw lines to payloads over the same hour."""
    theirs, least = measure(pandas_job.run, home=home), measure(floor.parse, home=home)
    differing = measure(differing_rows, home=home).result
    (home / "payloads.ndjson").unlink()
    if differing["rows"]:
        raise RuntimeError(f"pandas and the pipeline made other payloads: {differing}")
    rows = [
        [
            name,
            f"{each.process_seconds:.2f}",
            f"{each.process_cpu_seconds:.2f}",
            f"{ours.process_seconds / each.process_seconds:.2f}",
            f"{each.peak_mib:,}",
        ]
        for name, each in (("the pipeline", ours), ("pandas", theirs), ("the floor: one parsing scan", least))
    ]
    return Section(
        f"Raw lines to payloads, {events:,} events, beside pandas and the floor",
        "Whole processes, imports included. pandas runs in one thread and does only what this traffic needs; its "
        f"{events:,} payloads are identical to the pipeline's in every column.",
        [
            Goal(
                f"{events:,} events, raw to payloads: times as fast as pandas",
                theirs.process_seconds / ours.process_seconds,
                3.0,
                "at least",
            ),
        ],
        [Table(("", "seconds", "CPU seconds", "the pipeline's seconds over these", "peak MiB"), rows)],
    )

"""Payloads that hold a plaintext e-mail address or phone number: found as they are made, and never sent.

What the payloads hold is decided by `sql/conversion_payloads.sql`. `sql/plaintext_columns.sql` looks at the result and
does not trust it: a row with plaintext carries the columns where it stands, and is undeliverable for that reason.
"""

from collections import Counter
from dataclasses import dataclass

import duckdb

from snap_pipeline.lake.lake import Lake, sql


@dataclass(frozen=True)
class Plaintext:
    """Payloads of an hour that are set aside.

    Attributes:
        events: how many.
        columns: where plaintext stands in them, each with the number of events.
        event_ids: of some of them; of one whose id is plaintext itself, the digest.
    """

    events: int
    columns: dict[str, int]
    event_ids: list[str]

    def __str__(self) -> str:
        columns = ", ".join(f"{column} ({events:,})" for column, events in self.columns.items())
        others = f" and {self.events - len(self.event_ids):,} more" if self.events > len(self.event_ids) else ""
        return (
            f"{self.events:,} events are not sent, because plaintext stands in {columns}: "
            f"{', '.join(self.event_ids)}{others}"
        )


NAMED = 3
"""The number of event ids that are named; `snap-pipeline sql` has the others."""

WHAT_TO_DO = (
    "All other events of the hour go out. The SQL that makes the payloads does not know this spelling: report it, and "
    "materialize the hour again after an upgrade. `snap-pipeline sql` lists the events: "
    "select event_id, plaintext from conversion_payloads where plaintext is not null."
)
"""Advice after a finding."""


def with_plaintext_columns(payloads: str) -> str:
    """The query whose rows are those of `payloads`, each with the columns in which plaintext stands."""
    return f"with payloads as ({payloads}) from ({sql('plaintext_columns')})"


def plaintext_in(lake: Lake, payloads: str) -> Plaintext | None:
    """Return the events that are set aside of a partition of `conversion_payloads`; None where there are none."""
    with lake.connect() as connection:
        show_payloads(lake, connection, payloads)
        rows = connection.execute(
            "select if(list_contains(plaintext, 'event_id'), sha256(event_id), event_id), plaintext "
            "from conversion_payloads where plaintext is not null"
        ).fetchall()
    columns = Counter(column for _, found in rows for column in found)
    return (
        Plaintext(len(rows), dict(sorted(columns.items())), sorted(event_id for event_id, _ in rows)[:NAMED])
        if rows
        else None
    )


def show_payloads(lake: Lake, connection: duckdb.DuckDBPyConnection, payloads: str) -> None:
    """Makes the view `conversion_payloads` (with file_row_number) of a partition, with the column `plaintext`.

    Partitions of versions that did not write the column are looked through here.
    """
    source = lake.storage.scan([payloads], options="file_row_number = true")
    view = "create or replace view conversion_payloads as"
    try:
        connection.execute(f"{view} select * replace (plaintext as plaintext) from {source}")
    except duckdb.BinderException:
        rows = _look_through(lake, payloads)
        connection.execute("create or replace table found_plaintext (file_row_number bigint, plaintext varchar[])")
        if rows:
            connection.executemany("insert into found_plaintext values (?, ?)", rows)
        connection.execute(f"{view} from {source} left join found_plaintext using (file_row_number)")


def _look_through(lake: Lake, payloads: str) -> list[tuple[int, list[str]]]:
    with lake.connect_with_macros() as connection:
        source = f"select * from {lake.storage.scan([payloads], options='file_row_number = true')}"
        return connection.execute(
            f"select file_row_number, plaintext from ({with_plaintext_columns(source)}) where plaintext is not null"
        ).fetchall()

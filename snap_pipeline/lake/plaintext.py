"""Check of payloads for plaintext e-mail addresses and phone numbers, which are never sent.

`sql/conversion_payloads.sql` makes the payloads. `sql/plaintext_columns.sql` checks the result independently: a row
with plaintext lists the columns that hold it, and is undeliverable for that reason.
"""

from collections import Counter
from dataclasses import dataclass

import duckdb

from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.payload_partitions import payload_rows
from snap_pipeline.lake.sql_files import sql
from snap_pipeline.plurals import agreeing, quantity


@dataclass(frozen=True)
class Plaintext:
    """Payloads of an hour that are undeliverable because of plaintext.

    Attributes:
        events: the number of payloads.
        columns: the number of payloads by column that holds plaintext.
        event_ids: some of their event ids; an id that is plaintext itself is shown as its digest.
    """

    events: int
    columns: dict[str, int]
    event_ids: list[str]

    def __str__(self) -> str:
        columns = ", ".join(f"{column} ({events:,})" for column, events in self.columns.items())
        others = f" and {self.events - len(self.event_ids):,} more" if self.events > len(self.event_ids) else ""
        return (
            f"{quantity(self.events, 'event')} {agreeing(self.events, 'is', 'are')} not sent, because plaintext stands "
            f"in {columns}: {', '.join(self.event_ids)}{others}"
        )


NAMED = 3
"""Number of event ids to show; `snap-pipeline sql` lists the others."""

WHAT_TO_DO = (
    "All other events of the hour go out. The SQL that makes the payloads does not know this spelling: report it, and "
    "materialize the hour again after an upgrade. `snap-pipeline sql` lists the events: "
    "select event_id, plaintext from conversion_payloads where plaintext is not null."
)
"""Advice to users whose payloads hold plaintext."""


def with_plaintext_columns(payloads: str) -> str:
    """Return the query of payloads, extended by the list of columns that hold plaintext."""
    return f"with payloads as ({payloads}) from ({sql('plaintext_columns')})"


def plaintext_in(lake: Lake, payloads: str) -> Plaintext | None:
    """Return the payloads with plaintext in a partition of `conversion_payloads`, or None without any."""
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
    """Create the view `conversion_payloads` (with file_row_number) of a partition, with all columns of today.

    The column `plaintext` is not null where a partition lacks it, as other columns are, since that would call it free
    of plaintext. Earlier versions did not write it; their partitions are searched here.
    """
    rows = payload_rows(lake.storage, [payloads], options="file_row_number = true")
    if "plaintext" not in dict(lake.storage.columns(connection, payloads)):
        connection.execute("create or replace table found_plaintext (file_row_number bigint, plaintext varchar[])")
        rows = f"select * exclude (plaintext) from ({rows})"
        found = _look_through(lake, rows)
        if found:
            connection.executemany("insert into found_plaintext values (?, ?)", found)
        rows = f"from ({rows}) left join found_plaintext using (file_row_number)"
    connection.execute(f"create or replace view conversion_payloads as {rows}")


def _look_through(lake: Lake, payloads: str) -> list[tuple[int, list[str]]]:
    """Return the rows of a query of payloads that hold plaintext, with their columns that do."""
    with lake.connect_with_macros() as connection:
        return connection.execute(
            f"select file_row_number, plaintext from ({with_plaintext_columns(payloads)}) where plaintext is not null"
        ).fetchall()

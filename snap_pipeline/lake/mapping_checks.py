"""Checks of the mapping files of a home, before an event is judged by them."""

import csv
import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb

from snap_pipeline.errors import SettingsError

VALUES = {
    "event_names": ("source_name", "snap_name", "workspace"),
    "consent_purposes": ("purpose", "meaning", None),
    "currencies": ("currency", "accepted_by_snap", None),
    "currency_decimals": ("currency", "decimals", None),
    "order_statuses": ("status", "is_completed", None),
    "action_sources": ("word", "conversion_type", None),
}
"""The columns of a table's names, of what a row says about a name, and of the workspace that it holds for."""


CLOSE = 0.85
"""The similarity (difflib's ratio) above which a name is a misspelling: PURCHASEE has 0.94 to PURCHASE, and the two
most similar standard names that are no variants of each other (numbers at their ends) less than 0.75."""


class Check(NamedTuple):
    """A condition on the values of a column.

    Attributes:
        table: the mapping table.
        key: the column that names the row.
        column: the column to check.
        condition: SQL that holds for valid values.
        words: the condition in words.
    """

    table: str
    key: str
    column: str
    condition: str
    words: str


CHECKS = (
    # Ignoring an unknown meaning would send events whose consent was denied.
    Check(
        "consent_purposes",
        "purpose",
        "meaning",
        "lower(trimmed_or_empty(meaning)) in ('advertising', 'limited', 'opt_out_of_sale', 'other')",
        "advertising, limited, opt_out_of_sale or other",
    ),
    Check(
        "action_sources",
        "word",
        "conversion_type",
        "upper(trimmed_or_empty(coalesce(conversion_type, ''))) in ('WEB', 'MOBILE_APP', 'OFFLINE', '')",
        "WEB, MOBILE_APP, OFFLINE or an empty field, for a word that says nothing of it",
    ),
    Check(
        "action_sources",
        "word",
        "field",
        "lower(trimmed_or_empty(coalesce(field, ''))) in ('action_source', '')",
        "action_source or an empty field",
    ),
    Check(
        "currency_decimals",
        "currency",
        "decimals",
        "try_cast(decimals as utinyint) between 0 and 4",
        "a number from 0 to 4",
    ),
    Check(
        "currency_symbols",
        "symbol",
        "currency",
        "upper(trim(currency)) in (select currency from currencies)",
        "a code of a currency",
    ),
    Check(
        "time_zones",
        "time_zone",
        "utc_offset_minutes",
        "try_cast(utc_offset_minutes as integer) between -1440 and 1440",
        "a whole number of minutes",
    ),
    Check(
        "order_statuses",
        "status",
        "is_completed",
        "try_cast(is_completed as boolean) is not null",
        "true or false",
    ),
)


def check_mappings(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    """Check all mapping tables.

    Args:
        connection: has the rows of seeds and home together, as `<table>_rows`.
        home: the folder of the home's files.

    Raises:
        SettingsError: a value means nothing, or two rows of a file contradict each other; the message names both lines.
    """
    for check in CHECKS:
        row = connection.execute(
            f"select {check.key}, coalesce({check.column}, '') from {check.table}_rows "
            f"where not coalesce({check.condition}, false) order by 1 limit 1"
        ).fetchone()
        if row:
            raise SettingsError(
                f"{home / f'{check.table}.csv'} cannot be used: {row[0]} has the {check.column.replace('_', ' ')} "
                f"{row[1]!r}. It must be {check.words}."
            )
    for table, columns in VALUES.items():
        _check_contradictions(connection, home / f"{table}.csv", columns)


def misspelled_targets(home: Path, seeds: Path) -> list[str]:
    """Return warnings about event names of a home's mapping that look like misspelled standard names of Snap.

    Other names are valid, as custom events: a warning is all that can be said. Nothing is said of a file that cannot be
    read, since the mappings cannot be loaded then either.

    Args:
        home: the folder of the home's files.
        seeds: the folder of the seeds.
    """
    file = home / "event_names.csv"
    if not file.exists():
        return []
    try:
        standards = {
            str(row["given"]).upper()
            for folder in (seeds, home)
            if (names := folder / "snap_event_names.csv").exists()
            for row in _numbered_rows(names, ("snap_name", "snap_name", None))
        }
        rows = _numbered_rows(file, VALUES["event_names"])
    except (OSError, UnicodeDecodeError, csv.Error):
        return []
    warnings = []
    for row in rows:
        target = re.sub(r"[\s-]+", "_", str(row["given"]).upper())
        close = difflib.get_close_matches(target, standards, n=1, cutoff=CLOSE)
        if target not in standards and close:
            warnings.append(
                f"{file}, line {row['line']}: {row['name']} is mapped to {target}, which is sent as a custom event. "
                f"Was Snap's {close[0]} meant?"
            )
    return warnings


def _check_contradictions(connection: duckdb.DuckDBPyConnection, file: Path, columns: Sequence[str | None]) -> None:
    """Reject two rows of a file that say different things about one name: either could be what was meant."""
    if not file.exists():
        return
    contradiction = connection.execute(
        """
        select min_by(row.name, row.line), min(row.line), min(row.line) filter (where not row.is_as_first)
        from (
            select
                *,
                given is not distinct from first_value(given) over (
                    partition by folded_name(name), null_if_blank(workspace) order by line
                ) as is_as_first
            from (
                select unnest(
                    ?::struct(line integer, name varchar, given varchar, workspace varchar)[], max_depth := 2
                )
            )
        ) as row
        where folded_name(row.name) is not null
        group by folded_name(row.name), null_if_blank(row.workspace)
        having not bool_and(row.is_as_first)
        order by all
        limit 1
        """,
        [_numbered_rows(file, columns)],
    ).fetchone()
    if contradiction:
        named, first, second = contradiction
        raise SettingsError(
            f"{file} cannot be used: lines {first} and {second} contradict each other about {named}. "
            "Remove one of them."
        )


def _numbered_rows(file: Path, columns: Sequence[str | None]) -> list[dict[str, object]]:
    """Return a file's rows with the lines on which they begin; values are compared without case and blanks around."""
    name, given, workspace = columns
    rows: list[dict[str, object]] = []
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream)
        header = [column.strip().lower() for column in next((row for row in reader if row), [])]
        line = reader.line_num + 1
        for values in reader:
            row = dict(zip(header, values, strict=False))
            value = row.get(given or "", "").strip().lower()
            rows.append(
                {
                    "line": line,
                    "name": row.get(name or "", ""),
                    "given": value,
                    "workspace": row.get(workspace or "", ""),
                }
            )
            line = reader.line_num + 1
    return rows

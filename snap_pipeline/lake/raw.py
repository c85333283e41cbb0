"""Reading of landing files into an hour's `raw_events` and `quarantined_lines`.

An hour is read strictly, all files in one scan. Only when that fails, its files are tested one by one, and those at
fault are read line by line, so that bad lines are quarantined and everything else goes on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

import duckdb

from snap_pipeline.lake.hour_reader import HourReader, RawHour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.landing import LandedFile, LandingZone, as_text
from snap_pipeline.lake.row_errors import DATA_ERRORS
from snap_pipeline.lake.storage import Table, hour_of, partition
from snap_pipeline.lake.text_files import is_for_duckdb

Outcome = TypeVar("Outcome")


def make_raw_events(lake: Lake, landing: LandingZone, hour: datetime) -> RawHour:
    """Read the files of an hour into `raw_events` and `quarantined_lines`.

    Rows of files that were read before and are gone now (a bucket's lifecycle rule) are kept. The partition notes the
    listing that was read: if the folder's listing differs later, the hour has to be read again. A pruned hour is left
    as it is.

    Raises:
        LakeError: a file cannot be read (permission, disk, vanished meanwhile), or the lake cannot be written;
            the old partition is intact.
    """
    if lake.is_pruned(hour):
        return RawHour(sum(lake.pruned_events(hour).values()), 0, 0, 0, len(landing.listing(hour)))
    with lake.connect_with_macros() as connection:
        return _read(lake, landing, connection, hour, HourReader.write)


def load_landed_events(lake: Lake, landing: LandingZone, connection: duckdb.DuckDBPyConnection, hour: datetime) -> None:
    """Read an hour into a temporary table `raw_events`, without writing a partition.

    For steps that need an hour before it is made. A partition would mark the hour as read, so that it would leave the
    backlog before its other tables are made.

    Raises:
        LakeError: as `make_raw_events`.
    """
    _read(lake, landing, connection, hour, HourReader.load)


def load_events_of_file(
    lake: Lake, landing: LandingZone, connection: duckdb.DuckDBPyConnection, hour: datetime, file: LandedFile
) -> None:
    """Load the lines of one file into `good_lines` (line_number, line) and their events into `received_events`.

    Both tables have the same order, and are empty if the file holds no event.

    Raises:
        LakeError: the file cannot be read.
    """
    reader = HourReader(lake, landing, connection, hour, [file])
    reader.read([], [file])
    reader.load_received()


def lines_of_events(lake: Lake, landing: LandingZone, hour: datetime, source_file: str) -> list[int]:
    """Return the line of each event that `raw_events` has of a file, in order; empty if the file is gone.

    A line has several events if they are written in one line.

    Raises:
        LakeError: the file cannot be read.
    """
    files = [file for file in landing.listing(hour) if as_text(file.source_file) == source_file]
    if not files:
        return []
    quarantine = lake.storage.scan([partition(Table.QUARANTINED_LINES, hour)])
    with lake.connect_with_macros() as connection:
        HourReader(lake, landing, connection, hour, files[:1]).read([], files[:1])
        rows = connection.execute(
            f"""
            select line_number from good_lines
            except all
            select line_number from {quarantine} where source_file = $source_file and reason = 'unprocessable'
            order by line_number
            """,
            {"source_file": source_file},
        ).fetchall()
    return [number for (number,) in rows]


def _read(
    lake: Lake,
    landing: LandingZone,
    connection: duckdb.DuckDBPyConnection,
    hour: datetime,
    use: Callable[[HourReader], Outcome],
) -> Outcome:
    listing = landing.listing(hour)
    reader = HourReader(lake, landing, connection, hour, listing)
    try:
        return _read_files(reader, listing, use)
    except DATA_ERRORS:
        reader.read([], listing)
        if not reader.quarantine_unprocessable_lines():
            raise
        return use(reader)


def _read_files(reader: HourReader, listing: Sequence[LandedFile], use: Callable[[HourReader], Outcome]) -> Outcome:
    plain = [file for file in listing if is_for_duckdb(file.source_file)]
    others = [file for file in listing if not is_for_duckdb(file.source_file)]
    try:
        reader.read(plain, others)
        return use(reader)
    except (duckdb.InvalidInputException, duckdb.IOException):
        readable = {file for file in plain if reader.is_strictly_readable(file)}
        if len(readable) == len(plain):
            raise
        reader.read(
            [file for file in plain if file in readable], [*(file for file in plain if file not in readable), *others]
        )
        return use(reader)


def read_listings(
    lake: Lake, connection: duckdb.DuckDBPyConnection, hours: Iterable[datetime]
) -> Mapping[datetime, list[LandedFile]]:
    """Return the listing that each hour's partition was made from, without hours that have no partition."""
    notes = lake.storage.notes_of(connection, (partition(Table.RAW_EVENTS, hour) for hour in hours))
    return {hour_of(key): [LandedFile(**file) for file in each.get("listing", [])] for key, each in notes.items()}

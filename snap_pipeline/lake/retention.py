"""Retention: deletes landing files, raw and filtered events past a configured age, and keeps derived tables.

A pruned hour has a note with its number of events in place of its raw partition. Materializing it again keeps its other
partitions, since nothing is left to make them from.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.landing import LandedFile, LandingZone, is_same_listing
from snap_pipeline.lake.raw import read_listings
from snap_pipeline.lake.storage import Table, partition

WITH_PLAINTEXT = (Table.FILTERED_EVENTS, Table.RAW_EVENTS)
"""Tables that are deleted with an hour's landing files."""
NEEDED = (
    Table.IDENTITY_LINKS,
    Table.EXCLUDED_EVENTS,
    Table.CONVERSION_PAYLOADS,
    Table.PARAMETER_COMPLETENESS,
)
"""Tables that an hour must have before its events may be deleted: later hours, EMQ and delivery read these."""


@dataclass(frozen=True)
class Pruned:
    """Result of one pruning.

    Attributes:
        hours: the pruned hours.
        landing_files: the number of deleted landing files.
        left: older hours that were kept, because some of their tables or files are not processed yet.
    """

    hours: list[datetime]
    landing_files: int
    left: list[datetime]


def prune(lake: Lake, landing: LandingZone, first_kept: datetime, *, dry_run: bool = False) -> Pruned:
    """Delete landing files, `raw_events` and `filtered_events` of the hours before the first one to keep.

    Idempotent, also after an interruption: an hour's note is written before anything of it is deleted. A dry run
    returns the same, and changes nothing.

    Raises:
        LakeError: a file cannot be read or deleted.
    """
    hours: list[datetime] = []
    left: list[datetime] = []
    files = 0
    for hour in _candidates(lake, landing, first_kept):
        read = _listing_read(lake, hour)
        if not lake.is_pruned(hour):
            if not _is_done_with(lake, landing, hour, read):
                left.append(hour)
                continue
            if not dry_run:
                _write_note(lake, hour)
        listing = landing.listing(hour)
        # Files that landed since the hour was read stay.
        read_files = [file for file in listing if any(map(file.is_same, read or []))]
        if not dry_run:
            _delete(lake, landing, hour, read_files)
        files += len(read_files)
        (left if len(read_files) < len(listing) else hours).append(hour)
    return Pruned(hours, files, left)


def _candidates(lake: Lake, landing: LandingZone, first_kept: datetime) -> Iterator[datetime]:
    found = {*landing.hours(), *(hour for table in WITH_PLAINTEXT for hour in lake.storage.hours(table))}
    return iter(sorted(hour for hour in found if hour < first_kept))


def _listing_read(lake: Lake, hour: datetime) -> list[LandedFile] | None:
    with lake.connect() as connection:
        return read_listings(lake, connection, [hour]).get(hour)


def _is_done_with(lake: Lake, landing: LandingZone, hour: datetime, read: list[LandedFile] | None) -> bool:
    listing = landing.listing(hour)
    with lake.connect() as connection:
        payloads_are_current = lake.hours_with_current_payloads(connection, [hour])
    return (
        read is not None
        and (not listing or is_same_listing(read, listing))
        and all(lake.storage.exists(partition(table, hour)) for table in NEEDED)
        and hour in payloads_are_current
    )


def _write_note(lake: Lake, hour: datetime) -> None:
    with lake.connect() as connection:
        raw_events = lake.storage.scan([partition(Table.RAW_EVENTS, hour)])
        rows = connection.execute(f"select workspace, count(*) from {raw_events} group by all").fetchall()
        lake.storage.put(lake.pruned_note(hour), json.dumps(dict(rows)))


def _delete(lake: Lake, landing: LandingZone, hour: datetime, files: Iterable[LandedFile]) -> None:
    """Delete landing files of an hour, and its tables with plaintext.

    The raw partition goes last: as long as it exists, its hour's landing files are known to have been read.
    """
    landing.delete(files, hour)
    for table in WITH_PLAINTEXT:
        lake.storage.delete([partition(table, hour)])

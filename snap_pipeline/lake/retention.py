"""Retention: landing, raw and filtered hours that are older than a setting go; what is derived from them stays.

An hour that was pruned carries a note in place of its raw partition, with how many events it had. Its other partitions
are kept whenever it is materialized again, since nothing is left to make them from.
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from snap_pipeline.lake.lake import Lake, literal, make_durable
from snap_pipeline.lake.landing import LandedFile, LandingZone
from snap_pipeline.lake.raw import read_listings

WITH_PLAINTEXT = ("filtered_events", "raw_events")
"""What is deleted of an hour, beside its landing files."""
NEEDED = ("identity_links", "excluded_events", "conversion_payloads", "parameter_completeness")
"""What an hour must have before it can do without its events: later hours, EMQ and delivery read these."""


@dataclass(frozen=True)
class Pruned:
    """What one pruning did.

    Attributes:
        hours: whose events were deleted.
        landing_files: that were deleted with them.
        left: older hours that were left alone, because not everything was made of their files yet.
    """

    hours: list[datetime]
    landing_files: int
    left: list[datetime]


def prune(lake: Lake, landing: LandingZone, first_kept: datetime) -> Pruned:
    """Deletes landing files, `raw_events` and `filtered_events` of the hours before the first that is kept.

    Safe to run again, and after it was interrupted: an hour's note is written before anything of it is deleted.

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
            _write_note(lake, hour)
        files += _delete(lake, landing, hour, read)
        (left if landing.listing(hour) else hours).append(hour)
    return Pruned(hours, files, left)


def _candidates(lake: Lake, landing: LandingZone, first_kept: datetime) -> Iterator[datetime]:
    found = {*landing.hours(), *(hour for table in WITH_PLAINTEXT for hour in lake.hours(table))}
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
        and (not listing or listing == read)
        and all(lake.path(table, hour).exists() for table in NEEDED)
        and hour in payloads_are_current
    )


def _write_note(lake: Lake, hour: datetime) -> None:
    with lake.connect() as connection:
        rows = connection.execute(
            f"select workspace, count(*) from read_parquet({literal(lake.path('raw_events', hour))}) group by all"
        ).fetchall()
    note = lake.pruned_note(hour)
    draft = note.with_name(f".{uuid.uuid4().hex}.tmp")
    draft.write_text(json.dumps(dict(rows)), encoding="utf-8")
    make_durable(draft)
    draft.replace(note)


def _delete(lake: Lake, landing: LandingZone, hour: datetime, read: list[LandedFile] | None) -> int:
    """Deletes the files that were read, as they were read; one that landed meanwhile stays.

    The raw partition goes last: as long as it is there, its hour's landing files are known to have been read.
    """
    files = [file for file in landing.listing(hour) if file in (read or [])]
    for file in files:
        (landing.root / file.source_file).unlink(missing_ok=True)
    for workspace in landing.workspaces:
        folder = landing.folder(workspace, hour)
        if folder.is_dir() and not any(folder.iterdir()):
            # A file may land at this very moment.
            with suppress(OSError):
                folder.rmdir()
    for table in WITH_PLAINTEXT:
        lake.path(table, hour).unlink(missing_ok=True)
    return len(files)

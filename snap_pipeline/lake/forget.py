"""`snap-pipeline forget`: a person's identifiers out of every hour, and what lands of them later out at once.

The tombstone is written first, so that whatever is read from then on obeys it. It holds digests, and the hours that
are still to be made again, so that a request that was interrupted goes on where it stopped. Raw rows stay, emptied and
excluded as `forgotten`, so that the accounting holds; the hours' other tables are made again from them.
"""

import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from snap_pipeline.errors import LakeError, PipelineError
from snap_pipeline.hours import format_hour, parse_hour
from snap_pipeline.lake.drafts import new_draft
from snap_pipeline.lake.lake import Lake, literal, make_durable, sql
from snap_pipeline.lake.landing import LandedFile, LandingZone, as_text
from snap_pipeline.lake.raw import load_events_of_file, make_raw_events
from snap_pipeline.lake.text_files import lines_of, open_for_writing
from snap_pipeline.lake.tombstones import FOLDER, read_tombstone, write_tombstone
from snap_pipeline.lake.transform import Transformations


class NothingToRecognize(PipelineError):
    """An e-mail address or phone number that is none."""


@dataclass(frozen=True)
class Forgotten:
    """What a request touched.

    Attributes:
        hours: that were made again.
        events: that are excluded as forgotten in these hours.
        landing_files: below the landing root, that still hold the person.
        rewritten_files: that held the person, and hold them no more.
    """

    hours: list[datetime]
    events: int
    landing_files: list[str]
    rewritten_files: list[str]


@dataclass(frozen=True)
class Sighting:
    """An hour in which the person was seen, with what they were seen by, as digests."""

    hour: datetime
    device: str | None
    users: frozenset[str]


class Forgetting:
    """Forgets people in one lake.

    Args:
        lake: to forget in.
        landing: whose files may hold the person.
        transformations: make an hour's tables again.
        calling_codes: of the workspaces, since a phone number may be given without its country.
    """

    def __init__(
        self, lake: Lake, landing: LandingZone, transformations: Transformations, calling_codes: Iterable[str | None]
    ) -> None:
        self._lake, self._landing, self._transformations = lake, landing, transformations
        self._calling_codes = sorted({code or "" for code in calling_codes} | {""})

    def digests(self, kind: str, value: str) -> list[str]:
        """What a person is recognized by who is named by an `email`, `phone`, `user_id` or `anonymous_id`.

        Raises:
            NothingToRecognize: the value is not of its kind.
        """
        with self._lake.connect_with_macros() as connection:
            rows = connection.execute(
                sql("asked_digests"), {"kind": kind, "value": value, "calling_codes": self._calling_codes}
            ).fetchall()
        if not rows:
            raise NothingToRecognize(f"That is no {kind.replace('_', ' ')} by which anybody could be recognized.")
        return [digest for (digest,) in rows]

    def forget(self, asked: Sequence[str], *, rewrite_landing: bool) -> Forgotten:
        """Empties and excludes the person's events everywhere, and makes the hours again that they touched.

        Args:
            asked: digests of the person.
            rewrite_landing: whether landing files lose the person as well; otherwise they are listed.

        Raises:
            LakeError: a file cannot be read or written. What was done stays done; call again to go on.
        """
        file = self._lake.root / FOLDER / f"{hashlib.sha256(''.join(sorted(asked)).encode()).hexdigest()[:16]}.json"
        before = read_tombstone(file)
        digests, devices, seen = self._everything_of({*asked, *before["digests"]})
        devices |= set(before["devices"])
        seen |= self._attached(digests)
        pending = sorted({*before["hours"], *map(format_hour, seen - set(self._lake.pruned_hours()))})
        write_tombstone(file, {"digests": sorted(digests), "devices": sorted(devices), "hours": pending})
        rewritten, left = self._landing_files(digests, rewrite=rewrite_landing)
        pruned = [hour for hour in self._lake.pruned_hours() if self._forget_pruned(hour, sorted(digests))]
        hours = sorted({*map(parse_hour, pending), *rewritten.values()})
        for done, hour in enumerate(hours, 1):
            self._make_again(hour)
            rest = [format_hour(each) for each in hours[done:]]
            write_tombstone(file, {"digests": sorted(digests), "devices": sorted(devices), "hours": rest})
        hours = sorted({*hours, *pruned})
        return Forgotten(hours, self._forgotten_events(hours), sorted(left), sorted(rewritten))

    def _everything_of(self, asked: set[str]) -> tuple[set[str], set[str], set[datetime]]:
        """All digests of the person, the devices that they share with others, and the hours of either.

        Who is named by an address is followed to their user ids, and by these to their devices. A device that
        somebody else uses too is not theirs alone, so that its other events stay.
        """
        sightings = self._sightings(asked)
        by_asked_device = {s for s in sightings if s.device in asked}
        users = set().union(*(s.users for s in sightings - by_asked_device))
        owners = set().union(*(s.users for s in by_asked_device))
        if len({s.users for s in by_asked_device if s.users}) <= 1:
            users |= owners
        # One id leads to another: an alias, or an external id beside the user id.
        followed: set[str] = set()
        while users - followed:
            found = self._sightings(users - followed)
            followed |= users
            sightings |= found
            users |= set().union(*(s.users for s in found))
        of_person = {s for s in sightings if s.users & users or s not in by_asked_device}
        devices = {s.device for s in of_person if s.device} - asked
        sightings |= self._sightings(devices)
        shared = {s.device for s in sightings if s.device in devices and s.users and not s.users & (users | asked)}
        return asked | users | (devices - shared), shared, {s.hour for s in sightings}

    def _attached(self, digests: set[str]) -> set[datetime]:
        """The hours whose conversions carry the person's address, though their own events may not name it."""
        hours = self._lake.hours("conversion_payloads")
        if not hours:
            return set()
        files = ", ".join(literal(self._lake.path("conversion_payloads", hour)) for hour in hours)
        with self._lake.connect() as connection:
            connection.execute(
                f"create temp view payloads as from read_parquet([{files}], hive_partitioning = true, "
                "hive_types = {'hour': varchar}, union_by_name = true)"
            )
            rows = connection.execute(sql("sightings_in_payloads"), {"digests": sorted(digests)}).fetchall()
        return {parse_hour(hour) for (hour,) in rows}

    def _sightings(self, digests: set[str]) -> set[Sighting]:
        """Where the person was seen: in events, and in the links of hours that have no events, or none yet."""
        hours = self._lake.hours("raw_events")
        with_links_alone = sorted(set(self._lake.hours("identity_links")) - set(hours))
        found: set[Sighting] = set()
        for table, query, among in (
            ("raw_events", "sightings", hours),
            ("identity_links", "sightings_in_links", with_links_alone),
        ):
            if digests and among:
                files = ", ".join(literal(self._lake.path(table, hour)) for hour in among)
                with self._lake.connect_with_macros() as connection:
                    connection.execute(
                        f"create temp view {table} as from read_parquet([{files}], hive_partitioning = true, "
                        "hive_types = {'hour': varchar})"
                    )
                    rows = connection.execute(sql(query), {"digests": sorted(digests)}).fetchall()
                found |= {Sighting(parse_hour(hour), device, frozenset(users)) for hour, device, users in rows}
        return found

    def _landing_files(self, digests: set[str], *, rewrite: bool) -> tuple[dict[str, datetime], list[str]]:
        """The files that were rewritten, with their hours, and those that still hold the person."""
        rewritten: dict[str, datetime] = {}
        left: list[str] = []
        for hour in sorted(self._landing.hours()):
            for file in self._landing.listing(hour):
                stubs = self._stubs(file, hour, digests)
                if stubs and rewrite:
                    path = self._landing.root / file.source_file
                    replace_lines(path, new_draft(self._landing.root, path), stubs)
                    rewritten[as_text(file.source_file)] = hour
                elif stubs:
                    left.append(as_text(file.source_file))
        return rewritten, left

    def _stubs(self, file: LandedFile, hour: datetime, digests: set[str]) -> Mapping[int, tuple[str, str]]:
        """The person's lines and what is to stand in their place, by line number."""
        with self._lake.connect_with_macros() as connection:
            load_events_of_file(self._lake, self._landing, connection, hour, file)
            rows = connection.execute(sql("forgotten_lines"), {"digests": sorted(digests)}).fetchall()
        return {number: (line, stub) for number, line, stub in rows}

    def _make_again(self, hour: datetime) -> None:
        if self._lake.path("raw_events", hour).exists():
            make_raw_events(self._lake, self._landing, hour)
            self._transformations.make_identity_links(hour)
            if self._lake.path("filtered_events", hour).exists():
                self._transformations.make_filtered_events(hour)
            if self._lake.path("conversion_payloads", hour).exists():
                self._transformations.make_conversion_payloads(hour)
            if self._lake.path("parameter_completeness", hour).exists():
                self._transformations.make_parameter_completeness(hour)
        else:
            # Links that were made before their hour's events are made again as soon as somebody needs them.
            self._lake.path("identity_links", hour).unlink(missing_ok=True)

    def _forget_pruned(self, hour: datetime, digests: list[str]) -> bool:
        """Takes the person out of what an hour still has whose events are gone; False where they are not in it.

        The exclusions are written before the payloads shrink, and only once, so that an interruption loses nothing.
        """
        payloads, excluded, links = (
            self._lake.path(table, hour) for table in ("conversion_payloads", "excluded_events", "identity_links")
        )
        with self._lake.connect_with_macros() as connection:
            for table, path in {"payloads": payloads, "excluded": excluded, "links": links}.items():
                connection.execute(
                    f"create temp table {table} as from read_parquet({literal(path)}, hive_partitioning = false)"
                )
            made_by = self._lake.notes(connection, payloads)
            values = {"digests": digests}
            connection.execute(f"create temp table judged as {sql('forgotten_payloads')}", values)
            connection.execute(f"create temp table kept_links as {sql('forgotten_links')}", values)
            row = connection.execute(
                "select (select count(*) from judged where is_forgotten), "
                "(select count(*) from links) - (select count(*) from kept_links)"
            ).fetchone()
            if not row or not any(row):
                return False
            self._lake.replace(
                connection,
                excluded,
                """
                from excluded union all by name
                select workspace, event_id, event_name, event_time, 'forgotten' as reason from judged
                where is_forgotten and (workspace, event_id) not in (
                    select workspace, event_id from excluded where reason = 'forgotten'
                )
                """,
            )
            self._lake.replace(connection, links, "from kept_links")
            self._lake.replace(
                connection,
                payloads,
                "select * exclude (is_forgotten) from judged where not is_forgotten",
                metadata=made_by,
            )
        self._transformations.make_parameter_completeness(hour)
        return True

    def _forgotten_events(self, hours: Iterable[datetime]) -> int:
        paths = [path for path in (self._lake.path("excluded_events", hour) for hour in hours) if path.exists()]
        if not paths:
            return 0
        files = ", ".join(map(literal, paths))
        with self._lake.connect() as connection:
            query = f"select count(*) from read_parquet([{files}]) where reason = 'forgotten'"
            row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0


def replace_lines(path: Path, draft: Path, lines: Mapping[int, tuple[str, str]]) -> None:
    """Replaces lines of a file and leaves every other byte as it is; all of it or nothing.

    Args:
        path: of the file, which keeps its mode.
        draft: where the new content is written first.
        lines: by number from 1, what stands there and what is to stand there.

    Raises:
        LakeError: another line stands there.
    """
    try:
        with open_for_writing(draft, path.suffix) as new:
            for number, line in enumerate(lines_of(path), 1):
                if number not in lines:
                    new.write(line)
                    continue
                before, after = (text.encode() for text in lines[number])
                if before.strip() not in line:
                    raise LakeError(f"{path} was not rewritten: line {number} is not the one that was read.")
                new.write(after + line[len(line.rstrip(b"\r\n")) :])
        shutil.copymode(path, draft)
        make_durable(draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)

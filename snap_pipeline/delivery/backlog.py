"""The backlog: hours that need a run though no schedule comes back to them.

Either their files were not read, or their conversions were not delivered, or these must be made again before they are
sent, since what decides consent has changed. When to ask for a run, and how often, is decided in
`orchestration/reconcile_sensor.py`.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from snap_pipeline.capi.limits import OFFLINE_AGE_DAYS, WEB_AGE_DAYS
from snap_pipeline.delivery.event_status import is_in_scope
from snap_pipeline.delivery.hour_status import HourStatus, HourStatusCache
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.landing import LandedFile, LandingZone, Listing, is_same_listing
from snap_pipeline.lake.mappings import Mappings
from snap_pipeline.lake.storage import Table
from snap_pipeline.lake.summaries import Summaries
from snap_pipeline.settings import HISTORY


@dataclass(frozen=True)
class BacklogItem:
    """One hour of the backlog.

    Attributes:
        fingerprint: of what the run depends on; when it changes, an earlier request for the hour no longer counts.
        from_landing: whether every asset of the hour is due, from its landing files on; otherwise delivery alone is.
        why: the reason in a few words, for the tags of the run.
    """

    fingerprint: str
    from_landing: bool
    why: str


class Backlog:
    """The backlog of one pipeline.

    Args:
        lake: holds what the hours' runs made.
        landing: the landing zone.
        summaries: of the lake's hours.
        mappings: give today's recipes.
        list_destinations: returns all destinations as they are now.
        first_hour: earlier hours are never in the backlog.
    """

    def __init__(
        self,
        lake: Lake,
        landing: LandingZone,
        summaries: Summaries,
        mappings: Mappings,
        list_destinations: Callable[[], Sequence[Destination]],
        first_hour: datetime,
    ) -> None:
        self._lake, self._landing, self._summaries, self._mappings = lake, landing, summaries, mappings
        self._list_destinations, self._first_hour = list_destinations, first_hour

    def find(self, last: datetime, wall_clock: datetime) -> Mapping[datetime, BacklogItem]:
        """Return every hour up to `last` that needs a run now.

        Args:
            last: the last hour to look at.
            wall_clock: the time for back-offs and Snap's deduplication window, which the data's clock does not move.
        """
        unread = self.unread_hours(last)
        return {
            **self.undelivered_hours(last, wall_clock),
            **{hour: BacklogItem(_fingerprint(files), True, "unread files") for hour, files in unread.items()},
        }

    def age_limits(self) -> Collection[int]:
        """Return the ages in days at which events expire for the live destinations; Snap's own limits without any."""
        live = [each for each in self._list_destinations() if each.state == "live"]
        days = {days for each in live for days in (each.web_age_days, each.offline_age_days)}
        return days or {WEB_AGE_DAYS, OFFLINE_AGE_DAYS}

    def unread_hours(self, last: datetime) -> Mapping[datetime, object]:
        """Return the hours whose folders list other files than `raw_events` read, each with the folder's listing.

        Hours whose payloads derive from an earlier reading, because a step in between failed, are included. Times of
        landed files are not compared: that would lose a file which lands while its hour is read, or which was copied
        in with an old modification time.
        """
        landed = self._landing.hours().difference(self._lake.pruned_hours())
        hours = sorted(hour for hour in landed if self._first_hour <= hour <= last)
        read = self._summaries.of(hours)
        unread: dict[datetime, object] = {}
        for hour in hours:
            listing = self._landing.listing(hour)
            # An emptied folder keeps its partition, so there is nothing to read.
            if listing and not is_same_listing(read[hour].listing, listing):
                unread[hour] = listing
            elif listing and not read[hour].payloads_are_current:
                unread[hour] = (listing, "payloads")
        return unread

    def unread_hours_of_workspaces(self, first: datetime, last: datetime) -> Mapping[str, Sequence[datetime]]:
        """Return the unread hours of a range, by the workspaces whose files were not read."""
        hours = [hour for hour in self.unread_hours(last) if hour >= first]
        unread: defaultdict[str, list[datetime]] = defaultdict(list)
        for hour, summary in self._summaries.of(hours).items():
            landed, read = _by_workspace(self._landing.listing(hour)), _by_workspace(summary.listing)
            # With the same files in all workspaces, the payloads derive from an earlier reading.
            changed = [each for each in landed if not is_same_listing(read.get(each, ()), landed[each])]
            for workspace in changed or landed:
                unread[workspace].append(hour)
        return unread

    def undelivered_hours(self, last: datetime, wall_clock: datetime) -> Mapping[datetime, BacklogItem]:
        """Return the hours that a live destination has not received in full.

        A destination that was stopped is left out until it may be retried. An hour whose status is not known since its
        payloads were made counts as undelivered: the destination was paused then, or is new.

        Where other rules of consent than today's made the payloads, every asset of the hour is due. Pruned hours cannot
        be made again, and of hours that are too old for Snap delivery finds out first whether anything is left.
        """
        due = [
            each
            for each in self._list_destinations()
            if each.state == "live" and (each.retry_at is None or each.retry_at <= wall_clock)
        ]
        statuses = HourStatusCache(self._lake)
        by_workspace: dict[str, list[Destination]] = defaultdict(list)
        for each in due:
            by_workspace[each.workspace].append(each)
        hours = self._lake.storage.hours(Table.CONVERSION_PAYLOADS) if due else []
        hours = [hour for hour in hours if self._first_hour <= hour <= last]
        recipes = self._mappings.recipes
        undelivered: dict[datetime, BacklogItem] = {}
        for hour, summary in self._summaries.of(hours).items():
            why: list[object] = []
            owed_to: set[str] = set()
            from_landing = False
            for workspace in sorted(summary.conversions.keys() & by_workspace.keys()):
                found = _undelivered(by_workspace[workspace], statuses, hour, wall_clock)
                if found and not recipes.is_consent_current(workspace, summary.consent_recipes):
                    is_known = any(status for _, status in found)
                    if self._lake.is_pruned(hour):
                        # Held for good; a run counts what has become too old for Snap meanwhile as expired.
                        found = [
                            (each, status)
                            for each, status in found
                            if status is None or hour < last - timedelta(days=each.offline_age_days)
                        ]
                    elif is_known or hour > last - HISTORY:
                        from_landing = True
                        why.append(recipes.current(Table.CONVERSION_PAYLOADS, workspace).consent)
                why += [_retry_fingerprint(each) for each, _ in found]
                owed_to |= {each.name for each, _ in found}
            if why:
                words = f"owed to {', '.join(sorted(owed_to))}" + (", consent rules changed" if from_landing else "")
                undelivered[hour] = BacklogItem(_fingerprint(why), from_landing, words)
        return undelivered


def by_urgency(
    ranges: Iterable[tuple[datetime, datetime]], now: datetime, age_limits: Collection[int]
) -> list[tuple[datetime, datetime]]:
    """Sort ranges of hours by the moment at which their events become too old to be sent, the next one first.

    Web events expire before others, and destinations may have limits of their own. Ranges past all limits come last:
    their events can only be recorded as expired.

    Args:
        ranges: first and last hour of each.
        now: the data's clock.
        age_limits: in days; see `Backlog.age_limits`.
    """

    def expiry(each: tuple[datetime, datetime]) -> tuple[bool, datetime]:
        moments = sorted(each[0] + timedelta(days=days) for days in age_limits)
        return moments[-1] <= now, next((moment for moment in moments if moment > now), each[0])

    return sorted(ranges, key=expiry)


def contiguous(hours: Iterable[datetime], longest: int) -> list[tuple[datetime, datetime]]:
    """Group hours into ranges without gaps, of at most `longest` hours, so that one run can take each."""
    ranges: list[tuple[datetime, datetime]] = []
    for hour in sorted(hours):
        if ranges and hour - ranges[-1][1] == ONE_HOUR and hour - ranges[-1][0] < longest * ONE_HOUR:
            ranges[-1] = (ranges[-1][0], hour)
        else:
            ranges.append((hour, hour))
    return ranges


def _undelivered(
    destinations: Iterable[Destination], statuses: HourStatusCache, hour: datetime, wall_clock: datetime
) -> list[tuple[Destination, HourStatus | None]]:
    """Return the destinations that have not received an hour in full, each with the hour's status where it is known."""
    known = [(each, statuses.cached(each, hour)) for each in destinations if is_in_scope(each, hour)]
    return [(each, status) for each, status in known if status is None or status.is_undelivered(wall_clock)]


def _retry_fingerprint(destination: Destination) -> tuple[object, ...]:
    """Return the values whose change makes a retry worthwhile at once: token, settings, the end of a pause."""
    return (
        destination.id,
        destination.api_version,
        destination.snap_app_id,
        destination.ios_app_id,
        destination.android_app_id,
        destination.base_url,
        destination.token_set_at,
        destination.retry_at,
        destination.web_age_days,
        destination.offline_age_days,
    )


def _by_workspace(listing: Listing) -> dict[str, list[LandedFile]]:
    files: dict[str, list[LandedFile]] = {}
    for file in listing:
        files.setdefault(file.workspace, []).append(file)
    return files


def _fingerprint(why: object) -> str:
    return hashlib.sha256(repr(why).encode()).hexdigest()[:16]

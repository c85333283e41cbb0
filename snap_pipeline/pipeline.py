"""The composition root: builds every part of the pipeline from the settings, for the command line and for Dagster.

It holds no rules of its own; it only knows which object needs which.
"""

from datetime import timedelta
from functools import cached_property
from pathlib import Path

from snap_pipeline.capi.rate_limit import RateLimiter
from snap_pipeline.capi.session import ApiSession, ConnectionTestResult
from snap_pipeline.delivery.accounting import Accounting
from snap_pipeline.delivery.backlog import Backlog
from snap_pipeline.delivery.destination_backlog import destination_backlog_of
from snap_pipeline.delivery.dispatch import Dispatcher
from snap_pipeline.delivery.event_status import PayloadStates
from snap_pipeline.destinations.health import DestinationBacklog
from snap_pipeline.destinations.run_results import RunResults
from snap_pipeline.destinations.snap_scores import Refreshed, SnapScores
from snap_pipeline.destinations.store import Destination, DestinationStore
from snap_pipeline.destinations.token_cipher import TokenCipher, load_or_create_key_file, lost_key_file
from snap_pipeline.errors import SettingsError
from snap_pipeline.files import delete_abandoned, drafts
from snap_pipeline.hours import parse_hour
from snap_pipeline.lake.forget import Forgetting
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.landing import LandingZone
from snap_pipeline.lake.mappings import Mappings
from snap_pipeline.lake.outdated_hours import OutdatedHours
from snap_pipeline.lake.retention import Pruned, prune
from snap_pipeline.lake.storage import Table
from snap_pipeline.lake.summaries import Summaries
from snap_pipeline.lake.transform import Transformations
from snap_pipeline.settings import Settings
from snap_pipeline.state.database import Database
from snap_pipeline.workspaces import load_workspaces


class Pipeline:
    """The parts of one pipeline, each created on first use.

    Args:
        settings: of this process.

    Raises:
        SettingsError: `workspaces.toml`, the landing layout or a mapping table cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.workspaces = load_workspaces(settings.home / "workspaces.toml")
        self.lake = Lake(settings.lake, memory_limit=settings.memory_limit, threads=settings.threads)
        self.mappings = Mappings(settings.mappings, self.workspaces)
        self.landing = LandingZone(settings.landing, settings.landing_layout, tuple(self.workspaces), self.mappings)
        self.summaries = Summaries(self.lake)
        self.transformations = Transformations(self.lake, self.landing, self.mappings)

    @cached_property
    def database(self) -> Database:
        """The state database, with all migrations applied."""
        database = Database(self.settings.state_url)
        database.migrate()
        return database

    @cached_property
    def destinations(self) -> DestinationStore:
        """The store of the destinations."""
        self.open_cipher()  # fails now if a key cannot be used, and not at the first token
        return self._store

    @cached_property
    def _store(self) -> DestinationStore:
        return DestinationStore(self.database, self.open_cipher, tuple(self.workspaces))

    @property
    def run_results(self) -> RunResults:
        """The record of what came of runs and connection tests at the destinations."""
        return RunResults(self.database)

    def open_cipher(self) -> TokenCipher:
        """Create the cipher of the access tokens from the current keys.

        Raises:
            SettingsError: Postgres holds the state, and no key is set.
            SecretKeyError: a key, or the key file, cannot be used, or the file is lost while tokens are stored.
        """
        if self.settings.secret_key:
            return TokenCipher(self.settings.secret_key.get_secret_value())
        if self.database.is_sqlite:
            file = self.settings.secret_key_file
            if not file.exists() and (names := [each.name for each in self._store.list()]):
                raise lost_key_file(file, names)
            return TokenCipher(load_or_create_key_file(file))
        raise SettingsError(
            "SNAP_PIPELINE_SECRET_KEY is not set. With the state on Postgres no key is made for you: make one with "
            "`openssl rand -base64 32 | tr '+/' '-_'` and set it for every process."
        )

    @property
    def retention(self) -> timedelta:
        """The time for which events are kept: the setting, but at least the longest identity window of a workspace."""
        longest = max(workspace.identity_window_days for workspace in self.workspaces.values())
        return timedelta(days=max(self.settings.retention_days, longest + 1))

    def prune(self, *, dry_run: bool = False) -> Pruned:
        """Delete landing files, raw and filtered events older than the retention, and abandoned drafts.

        Args:
            dry_run: change nothing, and return what would be deleted.
        """
        if not dry_run:
            self.delete_abandoned_drafts(everywhere=True)
        return prune(self.lake, self.landing, self.settings.running_hour - self.retention, dry_run=dry_run)

    def delete_abandoned_drafts(self, *, everywhere: bool = False) -> list[Path]:
        """Delete the half-written files of killed processes.

        Args:
            everywhere: search all of lake and landing zone (see `drafts`) instead of a few folders.

        Returns:
            the drafts in lake and landing zone that a process may still write, or that cannot be deleted.
        """
        delete_abandoned(self.settings.drafts())
        roots = self.settings.lake, self.settings.landing
        return delete_abandoned(draft for root in roots for draft in drafts(root, everywhere=everywhere))

    @property
    def forgetting(self) -> Forgetting:
        """The service that forgets people."""
        codes = (workspace.default_calling_code for workspace in self.workspaces.values())
        return Forgetting(self.lake, self.landing, self.transformations, codes)

    def session(self, destination: Destination) -> ApiSession:
        """Open a destination's session with Snap's API."""
        return ApiSession(
            name=destination.name,
            base_url=destination.base_url,
            version=destination.api_version,
            token=self.destinations.access_token(destination),
            requests_per_minute=destination.requests_per_minute,
            limiter=RateLimiter(self.database),
            now=self.settings.now,
        )

    def test_connection(self, destination: Destination, test_event_code: str | None = None) -> ConnectionTestResult:
        """Send a destination a PAGE_VIEW that Snap does not count, and keep the result.

        Args:
            destination: the one to test.
            test_event_code: of Events Manager's test view, which then shows the event (v3).
        """
        answer = self.session(destination).test(destination.pixel_id, test_event_code)
        result = ConnectionTestResult.of(answer, destination.name)
        self.run_results.record_test(destination, result.message)
        return result

    def refresh_snap_scores(self) -> Refreshed:
        """Ask Snap for its own scores of the live destinations that have none of today, and read the kept answers."""
        scores = SnapScores(self.lake, self.destinations, self.settings.ads_api_url)
        return scores.refresh(self.settings.now())

    def dispatcher(self) -> Dispatcher:
        """Create the dispatch engine."""
        return Dispatcher(
            lake=self.lake,
            summaries=self.summaries,
            mappings=self.mappings,
            database=self.database,
            open_session=self.session,
            now=self.settings.now(),
        )

    def states(self) -> PayloadStates:
        """Create the query of each payload's delivery state, by the data clock."""
        return PayloadStates(self.lake, self.settings.now())

    @property
    def backlog(self) -> Backlog:
        """The backlog: hours that need another run, which no schedule requests."""
        return Backlog(
            self.lake, self.landing, self.summaries, self.mappings, self.destinations.list, self.settings.first_hour
        )

    @property
    def outdated_hours(self) -> OutdatedHours:
        """The search for hours that would turn out differently under today's code, mappings and settings."""
        return OutdatedHours(self.lake, self.summaries, self.mappings)

    @property
    def accounting(self) -> Accounting:
        """The accounting of every landed line."""
        return Accounting(self.lake, self.mappings, self.summaries, self.settings.now())

    def destination_backlog(self, destination: Destination, *, newest_hours: int = 0) -> DestinationBacklog:
        """Read a destination's backlog and request figures from the lake.

        Args:
            destination: the receiver.
            newest_hours: count no more hours than these; 0 for all.
        """
        first, running = max(self.settings.first_hour, parse_hour(destination.since)), self.settings.running_hour
        hours = [hour for hour in self.lake.storage.hours(Table.CONVERSION_PAYLOADS) if first <= hour <= running]
        return destination_backlog_of(self.lake, self.accounting, destination, hours[-newest_hours:], running)

"""Durable landing of posted events: one file for each process, workspace and minute.

Lines count as landed once they are on disk. Everything that arrives while the last lines are flushed is written and
flushed together (group commit), by one thread, so that the event loop never waits for a disk. The file of the running
minute is a draft (`drafts.py`), published at the minute's end.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from snap_pipeline.collector.drafts import Draft, publish_abandoned
from snap_pipeline.files import flush
from snap_pipeline.hours import floor_hour
from snap_pipeline.lake.landing import LandingZone

SECONDS_OF_A_FILE = 60.0
HOURS_SEARCHED = 2
"""Each minute, abandoned drafts are searched in the running hour and the one before; at the start, in all hours."""
MAXIMUM_WAITING_BYTES = 64 * 1024 * 1024
"""Lines that wait for the disk, in memory; more are refused."""

log = logging.getLogger(__name__)


@dataclass
class _Lines:
    """Lines of one request, and the future that their sender waits for."""

    workspace: str
    content: bytes
    landed: Future[None]


class MinuteFiles:
    """The files into which one process lands events.

    Args:
        landing: the landing zone.
        now: the data clock; it decides the hour in which events land.
    """

    def __init__(self, landing: LandingZone, now: Callable[[], datetime]) -> None:
        self._landing, self._now = landing, now
        self._requests: queue.SimpleQueue[_Lines | None] = queue.SimpleQueue()
        # Two counters, each changed by one thread only, need no lock.
        self._accepted_bytes = 0
        self._handled_bytes = 0
        self._open: dict[str, Draft] = {}
        self._failed_hours: set[datetime] = set()
        self._thread = threading.Thread(target=self._run, name="minute-files", daemon=True)

    def start(self) -> None:
        """Publish what a crashed process left, and begin to take lines.

        Raises:
            LakeError: the landing zone cannot be read.
        """
        self._failed_hours = publish_abandoned(self._landing, sorted(self._landing.hours()))
        self._thread.start()

    def land(self, workspace: str, content: bytes) -> Future[None]:
        """Write lines, and return a future that is done once they are on disk.

        The future fails with `OSError` if they could not be written. Only one thread may call this.

        Args:
            workspace: whose events they are.
            content: JSON, one object a line, with a line break at the end.

        Raises:
            OSError: too many lines wait, or the thread that writes has ended.
        """
        self._check_thread()
        if self._accepted_bytes - self._handled_bytes > MAXIMUM_WAITING_BYTES:
            raise OSError("The disk is slower than events arrive.")
        landed: Future[None] = Future()
        self._accepted_bytes += len(content)
        self._requests.put(_Lines(workspace, content, landed))
        return landed

    def check(self) -> None:
        """Check that lines can be landed now.

        Raises:
            OSError: they cannot.
        """
        self._check_thread()
        probe = self._landing.scratch_file("ready")
        try:
            probe.write_bytes(b"\n")
            flush(probe)
        finally:
            probe.unlink(missing_ok=True)

    def stop(self) -> None:
        """Write what is waiting, publish the files, and end the thread."""
        self._requests.put(None)
        self._thread.join()

    def _check_thread(self) -> None:
        if not self._thread.is_alive():
            raise OSError("The thread that writes has ended.")

    def _run(self) -> None:
        end_of_minute = time.monotonic() + SECONDS_OF_A_FILE
        is_running = True
        while is_running:
            batch = self._next_batch(end_of_minute - time.monotonic())
            is_running = None not in batch
            waiting = [lines for lines in batch if lines and lines.landed.set_running_or_notify_cancel()]
            try:
                self._write(waiting)
                if not is_running or time.monotonic() >= end_of_minute or self._hour_is_over():
                    end_of_minute = time.monotonic() + SECONDS_OF_A_FILE
                    self._publish()
            except Exception as error:
                # Whatever it is, later lines can land, and nobody may wait forever.
                log.exception("The thread that writes goes on after an error.")
                _fail((lines for lines in waiting if not lines.landed.done()), OSError(str(error)))
            self._handled_bytes += sum(len(lines.content) for lines in batch if lines)

    def _next_batch(self, seconds: float) -> list[_Lines | None]:
        """Wait for lines, and return all that wait; none when the time is over. None among them asks to stop."""
        batch: list[_Lines | None] = []
        with suppress(queue.Empty):
            # An hour may end before the minute does.
            batch.append(self._requests.get(timeout=max(0.0, min(seconds, 1.0))))
            while True:
                batch.append(self._requests.get_nowait())
        return batch

    def _hour_is_over(self) -> bool:
        hour = floor_hour(self._now())
        return any(draft.hour != hour for draft in self._open.values())

    def _write(self, batch: list[_Lines]) -> None:
        by_workspace: dict[str, list[_Lines]] = {}
        for lines in batch:
            by_workspace.setdefault(lines.workspace, []).append(lines)
        for workspace, waiting in by_workspace.items():
            try:
                self._append(workspace, b"".join(lines.content for lines in waiting))
            except OSError as error:
                log.warning("Events of workspace %s could not be landed: %s", workspace, error.strerror or error)
                _fail(waiting, error)
            else:
                for lines in waiting:
                    lines.landed.set_result(None)

    def _append(self, workspace: str, content: bytes) -> None:
        hour = floor_hour(self._now())
        if workspace in self._open and self._open[workspace].hour != hour:
            self._publish()
        if workspace not in self._open:
            self._open[workspace] = Draft(self._landing.folder(workspace, hour), hour)
        draft = self._open[workspace]
        try:
            draft.append(content)
        finally:
            if draft.is_torn:
                self._close(workspace)

    def _publish(self) -> None:
        for workspace in list(self._open):
            self._close(workspace)
        running = floor_hour(self._now())
        recent = {running - timedelta(hours=back) for back in range(HOURS_SEARCHED)}
        self._failed_hours = publish_abandoned(self._landing, sorted(recent | self._failed_hours))

    def _close(self, workspace: str) -> None:
        """Publish a workspace's draft; what keeps its hidden name is an abandoned draft, which is searched."""
        draft = self._open.pop(workspace)
        self._failed_hours.add(draft.hour)
        try:
            draft.publish()
        except OSError as error:
            log.warning("A file of workspace %s could not be published: %s", workspace, error.strerror or error)


def _fail(waiting: Iterable[_Lines], error: OSError) -> None:
    for lines in waiting:
        lines.landed.set_exception(error)

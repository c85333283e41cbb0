"""Durable landing of posted events: one hidden file for each process, workspace and minute, published at its end.

Lines count as landed once they are on disk. Everything that arrives while the last lines are flushed is written and
flushed together (group commit), by one thread, so that the event loop never waits for a disk. The file of the running
minute has a hidden name, which the pipeline does not read, and is locked by its writer. After a crash, whoever finds it
unlocked cuts off the torn last line and publishes it.
"""

import fcntl
import logging
import os
import queue
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from snap_pipeline.files import flush, names_in
from snap_pipeline.hours import floor_hour
from snap_pipeline.lake.landing import LandingZone

DRAFT_PREFIX = ".collected-"
SECONDS_OF_A_FILE = 60.0
HOURS_SEARCHED = 2
"""Each minute, unlocked files are looked for in the running hour and the one before; at the start, in all hours."""

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
        self._open: dict[str, _MinuteFile] = {}
        self._thread = threading.Thread(target=self._run, name="minute-files", daemon=True)

    def start(self) -> None:
        """Publish what a crashed process left, and begin to take lines.

        Raises:
            LakeError: the landing zone cannot be read.
        """
        publish_abandoned(self._landing, sorted(self._landing.hours()))
        self._thread.start()

    def land(self, workspace: str, content: bytes) -> Future[None]:
        """Write lines, and return a future that is done once they are on disk.

        The future fails with `OSError` if they could not be written; nothing of them stays then.

        Args:
            workspace: whose events they are.
            content: JSON, one object a line, with a line break at the end.
        """
        landed: Future[None] = Future()
        self._requests.put(_Lines(workspace, content, landed))
        return landed

    def check(self) -> None:
        """Check that lines can be landed now.

        Raises:
            OSError: they cannot.
        """
        if not self._thread.is_alive():
            raise OSError("The thread that writes has ended.")
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

    def _run(self) -> None:
        end_of_minute = time.monotonic() + SECONDS_OF_A_FILE
        is_running = True
        while is_running:
            batch = self._next_batch(end_of_minute - time.monotonic())
            is_running = None not in batch
            self._write([lines for lines in batch if lines is not None])
            if not is_running or time.monotonic() >= end_of_minute or self._hour_is_over():
                self._publish()
                end_of_minute = time.monotonic() + SECONDS_OF_A_FILE

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
        return any(file.hour != hour for file in self._open.values())

    def _write(self, batch: list[_Lines]) -> None:
        by_workspace: dict[str, list[_Lines]] = {}
        for lines in batch:
            by_workspace.setdefault(lines.workspace, []).append(lines)
        for workspace, waiting in by_workspace.items():
            try:
                self._file(workspace).append(b"".join(lines.content for lines in waiting))
            except OSError as error:
                log.warning("Events of workspace %s could not be landed: %s", workspace, error.strerror or error)
                for lines in waiting:
                    lines.landed.set_exception(error)
            else:
                for lines in waiting:
                    lines.landed.set_result(None)

    def _file(self, workspace: str) -> "_MinuteFile":
        hour = floor_hour(self._now())
        file = self._open.get(workspace)
        if file and file.hour != hour:
            self._publish()
            file = None
        if file is None:
            file = self._open[workspace] = _MinuteFile(self._landing.folder(workspace, hour), hour)
        return file

    def _publish(self) -> None:
        for workspace in list(self._open):
            try:
                self._open[workspace].publish()
            except OSError as error:  # It stays locked, and the next minute tries again.
                log.warning("A file of workspace %s could not be published: %s", workspace, error.strerror or error)
            else:
                del self._open[workspace]
        running = floor_hour(self._now())
        publish_abandoned(self._landing, [running - timedelta(hours=back) for back in range(HOURS_SEARCHED)])


class _MinuteFile:
    """The file of one workspace's minute, locked and hidden until it is published.

    Args:
        folder: of the workspace's hour; it is created.
        hour: of the folder.

    Raises:
        OSError: it cannot be created.
    """

    def __init__(self, folder: Path, hour: datetime) -> None:
        self.hour = hour
        folder.mkdir(parents=True, exist_ok=True)
        self._draft = folder / f"{DRAFT_PREFIX}{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex}.ndjson"
        self._length = 0
        self._descriptor = os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        flush(folder)

    def append(self, content: bytes) -> None:
        """Append lines and wait until they are on disk.

        Raises:
            OSError: they are not, and nothing of them is in the file.
        """
        try:
            written = 0
            while written < len(content):
                written += os.pwrite(self._descriptor, content[written:], self._length + written)
            os.fdatasync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, self._length)
            raise
        self._length += len(content)

    def publish(self) -> None:
        """Give the file its name, or delete it if it is empty.

        Raises:
            OSError: it keeps its hidden name.
        """
        _give_name(self._draft, is_empty=not self._length)
        os.close(self._descriptor)


def publish_abandoned(landing: LandingZone, hours: list[datetime]) -> None:
    """Publish the hidden files of processes that ended without it; files that cannot be opened wait.

    Args:
        landing: the landing zone.
        hours: where to look.
    """
    for draft in _drafts(landing, hours):
        with suppress(OSError):
            descriptor = os.open(draft, os.O_RDWR)
            try:
                _publish_if_unlocked(descriptor, draft)
            finally:
                os.close(descriptor)


def _drafts(landing: LandingZone, hours: list[datetime]) -> Iterator[Path]:
    for hour in hours:
        for workspace in landing.workspaces:
            folder = landing.folder(workspace, hour)
            yield from (folder / name for name in names_in(folder) if name.startswith(DRAFT_PREFIX))


def _publish_if_unlocked(descriptor: int, draft: Path) -> None:
    """Cut a file after its last whole line and publish it, unless its writer lives or another process was faster.

    Raises:
        BlockingIOError: its writer lives.
        OSError: it is gone, or cannot be cut or renamed.
    """
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    if draft.stat().st_ino != os.fstat(descriptor).st_ino:
        return
    whole = _length_of_whole_lines(descriptor)
    os.ftruncate(descriptor, whole)
    os.fdatasync(descriptor)
    _give_name(draft, is_empty=whole == 0)


def _length_of_whole_lines(descriptor: int, step: int = 1 << 20) -> int:
    """Return the position after the last line break of a file; 0 if there is none."""
    end = os.fstat(descriptor).st_size
    while end > 0:
        start = max(0, end - step)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0


def _give_name(draft: Path, *, is_empty: bool) -> None:
    if is_empty:
        draft.unlink()
    else:
        draft.rename(draft.with_name(draft.name.removeprefix(".")))
    flush(draft.parent)

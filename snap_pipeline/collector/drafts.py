"""Drafts of landing files: hidden, locked by the process that writes them, and renamed once they are complete.

The pipeline does not read hidden files. A draft that nobody locks is abandoned: its process ended, or could not publish
it. Any collector of the home cuts off the torn last line and publishes it.
"""

import fcntl
import itertools
import logging
import os
import socket
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from snap_pipeline.files import flush, names_in
from snap_pipeline.lake.landing import LandingZone

PREFIX = ".collected-"

log = logging.getLogger(__name__)


class Draft:
    """A draft of one workspace and hour, which is on disk and locked.

    Args:
        folder: of the workspace's hour; it is created.
        hour: of the folder.

    Attributes:
        hour: of the folder.
        is_torn: bytes of lines that could not be written may follow its last whole line.

    Raises:
        OSError: it cannot be created.
    """

    def __init__(self, folder: Path, hour: datetime) -> None:
        self.hour = hour
        self.is_torn = False
        self._length = 0
        self._path = folder / f"{PREFIX}{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex}.ndjson"
        _create_folder(folder)
        # Until it is locked, others would take it for abandoned under its own name.
        unlocked = folder / f".{uuid.uuid4().hex}.tmp"
        self._descriptor = os.open(unlocked, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            unlocked.rename(self._path)
            flush(folder)
        except OSError:
            os.close(self._descriptor)
            unlocked.unlink(missing_ok=True)
            raise

    def append(self, content: bytes) -> None:
        """Append lines and wait until they are on disk.

        Raises:
            OSError: they are not; nothing of them is in the draft unless it `is_torn`.
        """
        try:
            written = 0
            while written < len(content):
                written += os.pwrite(self._descriptor, content[written:], self._length + written)
            os.fdatasync(self._descriptor)
        except OSError:
            self._cut()
            raise
        self._length += len(content)

    def _cut(self) -> None:
        try:
            os.ftruncate(self._descriptor, self._length)
        except OSError:
            self.is_torn = True

    def publish(self) -> None:
        """Publish the draft and unlock it.

        Raises:
            OSError: it is not published, and abandoned.
        """
        try:
            if not self.is_torn:
                _publish_draft(self._path, is_empty=not self._length)
        finally:
            os.close(self._descriptor)


def publish_abandoned(landing: LandingZone, hours: Iterable[datetime]) -> set[datetime]:
    """Publish abandoned drafts, and return the hours that hold some which cannot be published now.

    Args:
        landing: the landing zone.
        hours: the hours to search.
    """
    failed: set[datetime] = set()
    for hour, workspace in itertools.product(hours, landing.workspaces):
        folder = landing.folder(workspace, hour)
        drafts: list[Path] = []
        with _note_failure(folder, hour, failed):
            drafts = [folder / name for name in names_in(folder) if name.startswith(PREFIX)]
        for draft in drafts:
            with _note_failure(folder, hour, failed):
                _publish_if_abandoned(draft)
    return failed


@contextmanager
def _note_failure(folder: Path, hour: datetime, failed: set[datetime]) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        log.warning("A file in %s could not be published: %s", folder, error.strerror or error)
        failed.add(hour)


def _publish_if_abandoned(draft: Path) -> None:
    try:
        descriptor = os.open(draft, os.O_RDWR)
    except FileNotFoundError:
        return  # another process was faster
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if draft.stat().st_ino != os.fstat(descriptor).st_ino:
            return
        whole = _length_of_whole_lines(descriptor)
        os.ftruncate(descriptor, whole)
        os.fdatasync(descriptor)
        _publish_draft(draft, is_empty=whole == 0)
    except (BlockingIOError, FileNotFoundError):
        return  # its process lives, or another one was faster
    finally:
        os.close(descriptor)


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


def _publish_draft(draft: Path, *, is_empty: bool) -> None:
    if is_empty:
        draft.unlink()
    else:
        draft.rename(draft.with_name(draft.name.removeprefix(".")))
    flush(draft.parent)


def _create_folder(folder: Path) -> None:
    """Create a folder and its parents so that they survive a power cut."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for parent in {folder.parent, *(each.parent for each in missing)}:
        flush(parent)

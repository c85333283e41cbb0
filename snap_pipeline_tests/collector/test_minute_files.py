"""Durable landing: hours that end, files that cannot be written, processes that die."""

import errno
import fcntl
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from snap_pipeline.collector import drafts, minute_files
from snap_pipeline.collector.minute_files import MinuteFiles
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline_tests.project import HOUR, Project, key


class Clock:
    """A data clock that a test moves."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock(HOUR + timedelta(minutes=59))


@pytest.fixture
def files(project: Project, clock: Clock) -> Iterator[MinuteFiles]:
    files = MinuteFiles(project.pipeline.landing, clock)
    files.start()
    yield files
    files.stop()


def published(project: Project) -> list[tuple[str, bytes]]:
    found = [file for file in project.settings.landing.rglob("*") if file.is_file() and file.name[0] != "."]
    return sorted((file.parent.name, file.read_bytes()) for file in found)


def held(project: Project) -> list[Path]:
    return list(project.settings.landing.rglob(".collected-*"))


def wait_for_publication(project: Project, count: int) -> None:
    for _ in range(200):
        if len(published(project)) == count:
            return
        time.sleep(0.05)
    raise AssertionError(published(project))


def test_lines_are_on_disk_when_their_future_is_done_and_hidden_until_their_hour_ends(
    files: MinuteFiles, project: Project, clock: Clock
) -> None:
    files.land("default", b"1\n").result(10)
    files.land("default", b"2\n").result(10)
    assert [draft.read_bytes() for draft in held(project)] == [b"1\n2\n"]
    assert project.pipeline.landing.listing(HOUR) == []
    clock.moment += timedelta(minutes=1)
    wait_for_publication(project, 1)
    files.land("default", b"3\n").result(10)
    clock.moment += ONE_HOUR
    wait_for_publication(project, 2)
    assert published(project) == [(key(HOUR), b"1\n2\n"), (key(HOUR + ONE_HOUR), b"3\n")]


def test_a_minute_publishes_what_it_has(project: Project, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minute_files, "SECONDS_OF_A_FILE", 0.2)
    files = MinuteFiles(project.pipeline.landing, clock)
    files.start()
    for number in range(2):
        files.land("default", b"%d\n" % number).result(10)
        wait_for_publication(project, number + 1)
    files.stop()
    assert [content for _, content in published(project)] == [b"0\n", b"1\n"]


def test_lines_that_cannot_be_written_leave_nothing_and_others_go_on(
    files: MinuteFiles, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.land("default", b"1\n").result(10)
    real = drafts.os.pwrite

    def half(descriptor: int, content: bytes, offset: int) -> int:
        real(descriptor, content[: len(content) // 2], offset)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(drafts.os, "pwrite", half)
    with pytest.raises(OSError, match="No space"):
        files.land("default", b"lost\n").result(10)
    monkeypatch.setattr(drafts.os, "pwrite", real)
    files.land("default", b"2\n").result(10)
    assert [draft.read_bytes() for draft in held(project)] == [b"1\n2\n"]


def test_a_living_process_keeps_its_file_and_a_dead_one_s_is_published(
    files: MinuteFiles, project: Project, clock: Clock
) -> None:
    files.land("default", b"1\n").result(10)
    (living,) = held(project)
    dead = living.with_name(".collected-host-1-dead.ndjson")
    dead.write_bytes(b'{"event": 1}\n{"event": 2}\n{"eve')
    empty = living.with_name(".collected-host-1-empty.ndjson")
    empty.write_bytes(b'{"eve')
    drafts.publish_abandoned(project.pipeline.landing, [HOUR])
    assert held(project) == [living]
    assert published(project) == [(key(HOUR), b'{"event": 1}\n{"event": 2}\n')]


@pytest.fixture
def short_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(minute_files, "SECONDS_OF_A_FILE", 0.2)


def fail_next(monkeypatch: pytest.MonkeyPatch, place: object, name: str, times: int = 1) -> None:
    """Let a function fail a number of times, and work again."""
    real, left = getattr(place, name), [times]

    def failing(*arguments: object, **options: object) -> object:
        if left[0]:
            left[0] -= 1
            raise OSError(errno.EIO, "Input/output error")
        return real(*arguments, **options)

    monkeypatch.setattr(place, name, failing)


def test_a_new_draft_is_never_taken_for_abandoned(
    files: MinuteFiles, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = fcntl.flock

    def search_before(descriptor: int, how: int) -> None:
        if how == fcntl.LOCK_EX:
            drafts.publish_abandoned(project.pipeline.landing, [HOUR])
        real(descriptor, how)

    monkeypatch.setattr(drafts.fcntl, "flock", search_before)
    files.land("default", b"1\n").result(10)
    assert [draft.read_bytes() for draft in held(project)] == [b"1\n"]


@pytest.mark.usefixtures("short_minutes")
@pytest.mark.parametrize("failing", ["_publish_draft", "flush"])
def test_a_file_that_could_not_be_published_is_published_later(
    files: MinuteFiles, project: Project, clock: Clock, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    files.land("default", b"1\n").result(10)
    fail_next(monkeypatch, drafts, failing)
    # Later than the hours that are searched each minute.
    clock.moment += 5 * ONE_HOUR
    wait_for_publication(project, 1)
    files.land("default", b"2\n").result(10)
    wait_for_publication(project, 2)
    assert published(project) == [(key(HOUR), b"1\n"), (key(HOUR + 5 * ONE_HOUR), b"2\n")]


@pytest.mark.usefixtures("short_minutes")
@pytest.mark.parametrize("error", [OSError(errno.EMFILE, "Too many open files"), RuntimeError("unforeseen")])
def test_the_thread_goes_on_after_an_error(
    files: MinuteFiles, project: Project, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> list[str]:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(drafts, "names_in", fail)
        files.land("default", b"1\n").result(10)
        wait_for_publication(project, 1)
    files.land("default", b"2\n").result(10)
    with monkeypatch.context() as patch:
        patch.setattr(drafts.Draft, "append", fail)
        with pytest.raises(OSError, match=r"Too many|unforeseen"):
            files.land("default", b"lost\n").result(10)
    gone = files.land("default", b"3\n")
    gone.cancel()
    files.land("default", b"4\n").result(10)


def test_a_file_that_cannot_be_cut_is_left(
    files: MinuteFiles, project: Project, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.land("default", b"1\n").result(10)
    fail_next(monkeypatch, drafts.os, "fdatasync")
    fail_next(monkeypatch, drafts.os, "ftruncate")
    with pytest.raises(OSError, match="Input/output"):
        files.land("default", b"unsure\n").result(10)
    files.land("default", b"2\n").result(10)
    clock.moment += ONE_HOUR
    wait_for_publication(project, 2)
    assert [content for _, content in published(project)] in ([b"1\nunsure\n", b"2\n"], [b"2\n", b"1\nunsure\n"])


def test_lines_are_refused_while_too_many_wait_or_nobody_writes(
    project: Project, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = MinuteFiles(project.pipeline.landing, clock)
    with pytest.raises(OSError, match="has ended"):
        files.land("default", b"1\n")
    files.start()
    monkeypatch.setattr(minute_files, "MAXIMUM_WAITING_BYTES", -1)
    with pytest.raises(OSError, match="slower"):
        files.land("default", b"1\n")
    files.stop()

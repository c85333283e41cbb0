"""Durable landing: hours that end, files that cannot be written, processes that die."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from snap_pipeline.collector import minute_files
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


def drafts(project: Project) -> list[Path]:
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
    assert [draft.read_bytes() for draft in drafts(project)] == [b"1\n2\n"]
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
    real = minute_files.os.pwrite

    def half(descriptor: int, content: bytes, offset: int) -> int:
        real(descriptor, content[: len(content) // 2], offset)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(minute_files.os, "pwrite", half)
    with pytest.raises(OSError, match="No space"):
        files.land("default", b"lost\n").result(10)
    monkeypatch.setattr(minute_files.os, "pwrite", real)
    files.land("default", b"2\n").result(10)
    assert [draft.read_bytes() for draft in drafts(project)] == [b"1\n2\n"]


def test_a_living_process_keeps_its_file_and_a_dead_one_s_is_published(
    files: MinuteFiles, project: Project, clock: Clock
) -> None:
    files.land("default", b"1\n").result(10)
    (living,) = drafts(project)
    dead = living.with_name(".collected-host-1-dead.ndjson")
    dead.write_bytes(b'{"event": 1}\n{"event": 2}\n{"eve')
    empty = living.with_name(".collected-host-1-empty.ndjson")
    empty.write_bytes(b'{"eve')
    minute_files.publish_abandoned(project.pipeline.landing, [HOUR])
    assert drafts(project) == [living]
    assert published(project) == [(key(HOUR), b'{"event": 1}\n{"event": 2}\n')]

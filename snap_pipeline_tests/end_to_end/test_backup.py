"""Backup and restore: a home that was copied elsewhere has nothing to do, and knows what was delivered."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from snap_pipeline.delivery.hour_status import FILE
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.storage import Table, is_same_version, partition
from snap_pipeline.orchestration.runs import wall_clock
from snap_pipeline_tests.conftest import make_project
from snap_pipeline_tests.project import HOUR, NOW, Project, key, purchase

HOURS = (HOUR - ONE_HOUR, HOUR)


def with_tar(home: Path, copy: Path) -> None:
    """Copy a home through an archive, which keeps whole seconds."""
    copy.mkdir()
    archive = subprocess.run(
        ["tar", "--format=gnu", "-C", str(home), "-cf", "-", "."], check=True, capture_output=True
    ).stdout
    subprocess.run(["tar", "-C", str(copy), "-xf", "-"], check=True, input=archive)


def with_cp(home: Path, copy: Path) -> None:
    """Copy a home with its times."""
    subprocess.run(["cp", "-a", str(home), str(copy)], check=True)


@pytest.fixture(scope="module")
def delivered(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two hours, of which one has an event that Snap rejected."""
    project = make_project(tmp_path_factory.mktemp("delivered") / "home", sandbox_url)
    project.add_destination()
    for hour in HOURS:
        project.land(purchase(key(hour), at=hour), hour=hour)
    project.set_fault(refuse_event_ids=[key(HOUR)], count=100)
    assert project.materialize(*HOURS).success
    project.pipeline.database.dispose()
    return project.settings.home


@pytest.fixture
def home(delivered: Path, tmp_path: Path) -> Path:
    """A copy of that home for each test."""
    with_cp(delivered, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def project(home: Path, sandbox_url: str) -> Project:
    """The project of that copy, and an empty sandbox."""
    return make_project(home, sandbox_url)


@pytest.mark.parametrize("copy_home", [with_tar, with_cp])
def test_a_restored_home_has_nothing_to_do(
    home: Path, project: Project, tmp_path: Path, copy_home: Callable[[Path, Path], None]
) -> None:
    copy_home(home, tmp_path / "restored")
    project.reopen(home=tmp_path / "restored")
    pipeline = project.pipeline
    assert pipeline.backlog.find(HOUR, wall_clock()) == {}
    (shop,) = pipeline.destinations.list()
    assert pipeline.destination_backlog(shop).pending == 0
    counts = project.counts(*HOURS)
    assert (counts["delivered"], counts["rejected"]) == (1, 1)


def test_a_copy_without_its_times_is_read_again_and_sends_nothing_twice(
    home: Path, project: Project, tmp_path: Path
) -> None:
    subprocess.run(["cp", "-r", str(home), str(tmp_path / "restored")], check=True)
    project.reopen(home=tmp_path / "restored")
    assert set(project.pipeline.backlog.find(HOUR, wall_clock())) == set(HOURS)
    assert project.materialize(*HOURS).success
    assert project.requests_seen() == []
    assert project.pipeline.backlog.find(HOUR, wall_clock()) == {}


def test_statuses_that_an_earlier_version_noted_with_inodes_survive_too(
    home: Path, project: Project, tmp_path: Path
) -> None:
    storage = project.pipeline.lake.storage
    (note,) = (storage.path(Table.DELIVERY_RECEIPTS) / f"hour={key(HOUR)}").glob(f"*/{FILE}")
    content = json.loads(note.read_text())
    content["made_from"][0] = [4711, *content["made_from"][0]]
    note.write_text(json.dumps(content))
    with_tar(home, tmp_path / "restored")
    project.reopen(home=tmp_path / "restored")
    assert project.pipeline.backlog.find(HOUR, NOW) == {}


def test_a_file_that_is_replaced_within_a_second_differs(home: Path, project: Project) -> None:
    landed = next((project.settings.landing / "default" / key(HOUR)).iterdir())
    status = landed.stat()
    os.utime(landed, ns=(status.st_atime_ns, status.st_mtime_ns + 1_234_567))
    assert list(project.pipeline.backlog.find(HOUR, NOW)) == [HOUR]

    storage, payloads = project.pipeline.lake.storage, partition(Table.CONVERSION_PAYLOADS, HOUR)
    before = storage.fingerprint(payloads)
    with project.pipeline.lake.connect() as connection:
        storage.commit(connection, payloads, "select 1 as one")
        first = storage.fingerprint(payloads)
        storage.commit(connection, payloads, "select 2 as one")
    assert not is_same_version(before, first)
    assert not is_same_version(first, storage.fingerprint(payloads))

"""The documentation matches the code: commands run, the error catalogue is current, paths and links exist.

The commands of the README and of a first destination run in the demo's home (`end_to_end/test_demo.py`).
"""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from snap_pipeline.capi.catalogue_page import catalogue_page
from snap_pipeline_tests.project import NOW, START, TOKEN, Project, purchase

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
FENCE = re.compile(r"```sh\n(.*?)```", re.DOTALL)
MAKE = ("make demo", "make dev", "make quick", "make test", "make lint", "make bench", "make chaos")
"""`make demo` and `make dev` have tests of their own; the others are what runs this test, or beside it."""


def readme_commands() -> list[str]:
    return [line for fence in FENCE.findall((ROOT / "README.md").read_text()) for line in fence.strip().splitlines()]


def test_the_make_targets_of_the_readme_exist() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    commands = [command for command in readme_commands() if command.startswith("make")]
    assert commands == list(MAKE)
    assert {command.split()[1] for command in commands} <= set(targets)


@pytest.fixture
def environment(project: Project) -> dict[str, str]:
    """A user's environment: only a home, and the clock of the tests."""
    project.settings.dagster_home.mkdir(parents=True)
    return os.environ | {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "SNAP_PIPELINE_HOME": str(project.settings.home),
        "SNAP_PIPELINE_START": START,
        "SNAP_PIPELINE_NOW": NOW.isoformat(),
        "SNAP_ACCESS_TOKEN": TOKEN,
        "DAGSTER_HOME": str(project.settings.dagster_home),
    }


def run(command: str, folder: Path, environment: dict[str, str]) -> str:
    """Run a page's command."""
    done = subprocess.run(
        shlex.split(command), cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_commands_of_the_identity_page_run(project: Project, tmp_path: Path, environment: dict[str, str]) -> None:
    page = (ROOT / "docs" / "identity.md").read_text()
    project.land(purchase("ann", email="ann@example.com", user_id="4711"))
    assert project.materialize().success
    said = {
        command: run(command, tmp_path, environment)
        for fence in FENCE.findall(page)
        for command in fence.strip().splitlines()
    }
    assert "Rewritten" in said["snap-pipeline forget --user-id 4711 --landing"]
    assert "0 hours pruned" in said["snap-pipeline prune"]


def test_the_error_page_is_the_catalogue() -> None:
    assert (ROOT / "docs" / "errors.md").read_text() == catalogue_page(), (
        "run `python -m snap_pipeline.capi.catalogue_page`"
    )


PAGES = sorted(str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PAGES_OF_PATHS = ["CONTRIBUTING.md", "docs/architecture.md"]
CODE = re.compile(r"```.*?```", re.DOTALL)
PATH = re.compile(r"`((?:[\w.-]+/)*(?:[\w-][\w.-]*\.(?:py|sql|csv|yml|yaml|toml|md|html|css|json)|[\w.-]+/))`")
NAME_IN_PATH = re.compile(r"`(\w+)`(?:\s[^`|.;]*)?\s+in\s+`([\w./-]+\.\w+)`")
OF_A_HOME = ("data/", "data/mappings/", "workspaces.toml")


def found(path: str) -> Path | None:
    """Return the file or folder that a page names, relative to the repository, the package or the page."""
    return next((root / path for root in (ROOT, ROOT / "snap_pipeline", ROOT / "docs") if (root / path).exists()), None)


@pytest.mark.parametrize("page", PAGES_OF_PATHS)
def test_every_path_that_a_page_for_contributors_names_exists(page: str) -> None:
    paths = set(PATH.findall(CODE.sub("", (ROOT / page).read_text()))) - set(OF_A_HOME)
    assert len(paths) > 30, "the pattern finds no paths any more"
    assert [path for path in sorted(paths) if not found(path)] == []


@pytest.mark.parametrize("page", PAGES_OF_PATHS)
def test_every_name_that_a_page_for_contributors_gives_is_in_its_file(page: str) -> None:
    named = NAME_IN_PATH.findall(CODE.sub("", (ROOT / page).read_text()))
    assert named
    assert [(name, path) for name, path in named if not (file := found(path)) or name not in file.read_text()] == []


def test_every_module_in_the_diagram_of_the_architecture_exists() -> None:
    (diagram,) = CODE.findall((ROOT / "docs" / "architecture.md").read_text())
    paths = re.findall(r"(?:\w+/)+\w+\.(?:py|sql)", diagram)
    assert len(paths) > 10
    assert [path for path in paths if not found(path)] == []


def test_the_floors_of_the_architecture_are_those_of_the_lint_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = [{room.strip() for room in layer.split(":")} for layer in contracts[0]["layers"]]
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", (ROOT / "docs" / "architecture.md").read_text(), re.MULTILINE)
    told: list[set[str]] = [set() for _ in range(int(rows[-1][0]))]
    for floor, rooms in rows:
        told[int(floor) - 1] |= {room.removesuffix("/").removesuffix(".py") for room in re.findall(r"`([^`]+)`", rooms)}
    assert told == floors


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    text = CODE.sub("", (ROOT / page).read_text())
    for target, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", text):
        file = (ROOT / page).parent / target if target else ROOT / page
        assert file.exists(), target
        if anchor and file.suffix == ".md":
            assert anchor in anchors_of(file), f"{target}#{anchor}"


def anchors_of(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as on GitHub."""
    headings = re.findall(r"^#+ (.*)$", CODE.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_page_is_linked_from_another_one() -> None:
    linked = {
        ((ROOT / page).parent / target).resolve()
        for page in PAGES
        for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", (ROOT / page).read_text())
    }
    assert [page for page in PAGES if page != "README.md" and (ROOT / page).resolve() not in linked] == []


def test_every_section_of_the_reference_that_the_code_cites_exists() -> None:
    headings = re.findall(r"^##+ (\d+(?:\.\d+)?)", (ROOT / "docs" / "snap-api.md").read_text(), re.MULTILINE)
    sources = [path for folder in ("snap_pipeline", "snap_pipeline_tests") for path in (ROOT / folder).rglob("*.*")]
    cited = {
        number
        for path in sources
        if path.suffix in (".py", ".sql", ".json")
        for numbers in re.findall(
            r"snap-api\.md,\s+(?:[-*#\"]+\s+)?sections?\s+(?:[-*#\"]+\s+)?([\d., toand]+)", path.read_text()
        )
        for number in re.findall(r"\d+(?:\.\d+)?", numbers)
    }
    assert cited <= set(headings)

"""Rules of the code's structure that import-linter cannot check."""

import re
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "snap_pipeline"
MODULES = sorted(ROOT.rglob("*.py"))

SEAMS = {
    r"read_parquet|parquet_kv_metadata|parquet_schema": {"lake/storage.py"},
    r"\bos\.link|\.hardlink_to|\bos\.replace|\bos\.rename|\bos\.fsync": {"files.py", "lake/storage.py"},
    r"\.r?glob\(|\bos\.listdir|\bos\.scandir|\.iterdir\(": {"files.py", "lake/storage.py", "lake/landing.py"},
    r"\.root\b|\._root\b": {"lake/storage.py", "lake/landing.py"},
}
"""Operations that only these modules may use: they alone know that lake and landing zone are files."""

OTHERS_FILES = {
    r"\.r?glob\(": {"settings.py", "lake/mappings.py", "orchestration/assets/dbt_marts.py"},
}
"""Modules that list other files than those of lake and landing zone: the home's own, and the dbt project's."""


@pytest.mark.parametrize("pattern", SEAMS)
def test_files_are_known_to_their_seam_alone(pattern: str) -> None:
    allowed = SEAMS[pattern] | {name for names in OTHERS_FILES.values() for name in names}
    found = {
        module.relative_to(ROOT).as_posix()
        for module in MODULES
        if re.search(pattern, _code(module.read_text(encoding="utf-8")))
    }
    assert found <= allowed


def test_no_two_modules_have_one_name() -> None:
    """Those of the command line are named after their verbs."""
    inside = (module for module in MODULES if module.parent.name != "cli" and not module.stem.startswith("__"))
    names = Counter(module.stem for module in inside)
    assert [name for name, count in names.items() if count > 1] == []


def _code(text: str) -> str:
    """Remove docstrings and comments, which may mention other modules' operations."""
    return re.sub(r'"""[^"]*?"""|#.*', "", text)

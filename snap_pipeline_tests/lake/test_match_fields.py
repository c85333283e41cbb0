"""The registry of match fields, against the files whose lists come from it."""

import csv
import sys
from pathlib import Path
from subprocess import run

import snap_pipeline
from snap_pipeline.capi.api_version import DIALECTS
from snap_pipeline.lake.match_fields import MATCH_FIELDS
from snap_pipeline.project_files import SEEDS

ROOT = Path(snap_pipeline.__file__).parent.parent


def test_files_have_the_lists_of_the_registry() -> None:
    files = [
        file
        for folder in ("snap_pipeline", "docs")
        for file in (ROOT / folder).rglob("*.*")
        if file.suffix in (".sql", ".md") and "[[[cog" in file.read_text(encoding="utf-8")
    ]
    assert len(files) >= 8
    command = [sys.executable, "-m", "cogapp", "-p", "from snap_pipeline.lake import match_field_blocks as blocks"]
    checked = run([*command, "--check", *map(str, files)], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, f"Run: make fields\n{checked.stdout}{checked.stderr}"


def test_requests_have_the_keys_of_the_registry() -> None:
    for version in ("v3", "v2"):
        wire = DIALECTS[version].projection
        for field in MATCH_FIELDS:
            key = field.v3 if version == "v3" else field.v2
            assert key is None or f'"{key}":' in wire, (version, field.column)


def test_no_name_belongs_to_two_fields() -> None:
    names = [
        (name.replace("_", "").lower(), field.column)
        for field in MATCH_FIELDS
        for name in (*field.keys, *field.spellings)
    ]
    fields: dict[str, set[str]] = {}
    for name, column in names:
        fields.setdefault(name, set()).add(column)
    assert not {name: columns for name, columns in fields.items() if len(columns) > 1}


def test_scored_fields_have_a_weight() -> None:
    with (SEEDS / "parameter_weights.csv").open(encoding="utf-8") as file:
        weighted = {row["parameter"] for row in csv.DictReader(file) if row["score_group"] == "match"}
    assert {field.payload for field in MATCH_FIELDS if field.is_scored} == weighted - {"ip_and_user_agent"}

"""The insights: the dbt marts over all hours, and the accounting that they read.

They are not part of the hourly job: they read all hours at once, and dbt takes seconds to start.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import dagster as dg
import orjson
from dagster_dbt import DbtCliResource, DbtProject, dbt_assets
from dagster_dbt.errors import DagsterDbtCliRuntimeError

from snap_pipeline.delivery.accounting import Accounting, Entry, unbalanced_hours
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.errors import PipelineError
from snap_pipeline.hours import parse_hour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import mart
from snap_pipeline.orchestration.assets.hourly_step import OWNERS, schema_of
from snap_pipeline.orchestration.assets.mart_metadata import describe_mart
from snap_pipeline.orchestration.assets.mart_translator import FRESHNESS, MartTranslator
from snap_pipeline.orchestration.resources import DbtResource
from snap_pipeline.orchestration.runs import hours_in_flight
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.project_files import DBT_PROJECT, IS_INSTALLED
from snap_pipeline.reasons import DeliveryState
from snap_pipeline.settings import Settings

DBT_EXECUTABLE = str(Path(sys.executable).with_name("dbt"))
PARSED_SUFFIXES = (".sql", ".yml", ".csv", ".md", ".py")
CUSTOM_ENV_PREFIX = "DBT_ENV_CUSTOM_ENV_"
"""Prefix of environment variables that dbt copies to the metadata of its manifest, without the prefix."""
PROJECT_DIGEST = "PROJECT_DIGEST"


class _Manifest(NamedTuple):
    """The parts of dbt's manifest that are read here: the project's digest, and descriptions by source and column."""

    digest: str
    source_columns: Mapping[str, Mapping[str, str]]


class DbtProjectError(PipelineError):
    """A dbt project that dbt cannot parse."""


def build(pipeline: Pipeline) -> list[dg.AssetsDefinition]:
    """Build the assets of the accounting, the destinations and the dbt models."""
    manifest = current_manifest(pipeline.settings)

    @dg.multi_asset(
        name="accounting_entries",
        specs=[
            dg.AssetSpec(
                "accounting_entries",
                description="How many events of each hour are in which state, by workspace and destination.",
                group_name="insights",
                kinds={"duckdb", "parquet"},
                owners=OWNERS,
                freshness_policy=FRESHNESS,
                deps=["raw_events", "quarantined_lines", "excluded_events", "conversion_payloads", "delivery_receipts"],
            ),
            dg.AssetSpec(
                "destinations",
                description="The destinations, without credentials.",
                group_name="insights",
                kinds={"duckdb", "parquet"},
                owners=OWNERS,
                freshness_policy=FRESHNESS,
            ),
        ],
    )
    def accounting_entries(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.MaterializeResult[None]]:
        settings, accounting = pipeline.settings, pipeline.accounting
        hours = accounting.hours(settings.first_hour, settings.running_hour)
        entries, in_progress = settled_entries(accounting, hours, pipeline.destinations.list(), context.instance)
        accounting.export(entries)
        destinations = pipeline.destinations.list(include_removed=True)
        accounting.export_destinations(destinations)
        sums: dict[str, int] = {
            str(state): sum(e.events for e in entries if e.entry == state)
            for state in (DeliveryState.PENDING, DeliveryState.IN_DOUBT)
        }
        sums["hours_under_way"] = len(in_progress)
        for table, rows, numbers in (("accounting_entries", entries, sums), ("destinations", destinations, {})):
            with pipeline.lake.connect() as connection:
                columns = pipeline.lake.storage.columns(connection, mart(table))
            yield dg.MaterializeResult(
                asset_key=table,
                metadata={
                    "dagster/row_count": len(rows),
                    "dagster/column_schema": schema_of(columns, source_columns(manifest, table)),
                    **numbers,
                },
            )

    @dbt_assets(manifest=manifest, project=DbtProject(DBT_PROJECT), dagster_dbt_translator=MartTranslator())
    def marts(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        # dbt's logs and compiled models are deleted after the build: hourly builds would pile them up, in a folder that
        # may be read-only. Dagster keeps dbt's output.
        with (
            tempfile.TemporaryDirectory(prefix="snap-pipeline-dbt-") as target,
            dbt_environment(pipeline.settings),
            naming_damaged_file(pipeline.lake),
        ):
            for event in dbt.cli(["build"], context=context, target_path=Path(target)).stream():
                yield with_mart_metadata(event, context, pipeline.lake)

    return [accounting_entries, marts]


def source_columns(manifest: Path, table: str) -> Mapping[str, str]:
    """Return the descriptions of a source's columns in the dbt project, by column."""
    return _read(manifest, manifest.stat().st_mtime_ns).source_columns[table]


def settled_entries(
    accounting: Accounting, hours: Sequence[datetime], destinations: Sequence[Destination], instance: dg.DagsterInstance
) -> tuple[list[Entry], set[datetime]]:
    """Return the accounting entries of hours, and the hours left out because a run is in progress.

    A run replaces the tables of its hour one after the other; in between their sums do not match, which is no error.
    The next build includes these hours.

    Args:
        accounting: to read.
        hours: to account for.
        destinations: whose entries are read.
        instance: that knows the runs in progress.
    """
    entries = accounting.entries(hours, destinations)
    unbalanced = {parse_hour(hour) for hour in unbalanced_hours(entries)}
    if not unbalanced:
        return entries, unbalanced
    in_flight = hours_in_flight(instance)
    recounted = accounting.entries(sorted(unbalanced), destinations)
    in_flight |= hours_in_flight(instance)
    in_progress = in_flight & {parse_hour(hour) for hour in unbalanced_hours(recounted)}
    balanced = [entry for entry in entries if parse_hour(entry.hour) not in unbalanced]
    return balanced + [entry for entry in recounted if parse_hour(entry.hour) not in in_progress], in_progress


@contextmanager
def naming_damaged_file(lake: Lake) -> Iterator[None]:
    """Raise a clear error if dbt failed because of a damaged file, which dbt's message quotes from DuckDB.

    Raises:
        DamagedPartition: a file that a mart reads is damaged.
    """
    try:
        yield
    except DagsterDbtCliRuntimeError as error:
        damaged = lake.storage.damaged(str(error))
        if damaged is None:
            raise
        raise damaged from error


def with_mart_metadata(event: Any, context: dg.AssetExecutionContext, lake: Lake) -> Any:
    """Add the mart's metadata to an event of dbt that reports a mart; return other events unchanged."""
    if not isinstance(event, dg.Output):
        return event
    mart = context.asset_key_for_output(event.output_name).path[-1]
    return event.with_metadata({**event.metadata, **describe_mart(lake, mart)})


def resources() -> dict[str, Any]:
    """Build the Dagster resources of the marts."""
    return {
        "dbt": DbtResource(project_dir=str(DBT_PROJECT), profiles_dir=str(DBT_PROJECT), dbt_executable=DBT_EXECUTABLE)
    }


@contextmanager
def dbt_environment(settings: Settings) -> Iterator[None]:
    """Set the environment variables that point the dbt project to this home's lake and clock, while dbt runs."""
    before = dict(os.environ)
    os.environ |= {
        "DBT_PROJECT_DIR": str(DBT_PROJECT),
        "SNAP_PIPELINE_LAKE": str(settings.lake),
        "SNAP_PIPELINE_MEMORY_LIMIT": settings.memory_limit,
        "SNAP_PIPELINE_THREADS": str(settings.threads),
    }
    if settings.fixed_now:
        os.environ["SNAP_PIPELINE_NOW"] = settings.fixed_now.isoformat()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


def current_manifest(settings: Settings) -> Path:
    """Return the path of the dbt project's manifest, after making it if it is missing or outdated.

    In a checkout it is in the project's `target`, for all homes. An installed package may be read-only, so each home
    has its own there.

    Raises:
        DbtProjectError: dbt cannot parse the project; the message quotes dbt.
    """
    folder = settings.home.absolute() / "dbt" if IS_INSTALLED else DBT_PROJECT / "target"
    manifest, digest = folder / "manifest.json", project_digest()
    if not manifest.exists() or manifest_digest(manifest) != digest:
        folder.mkdir(parents=True, exist_ok=True)
        write_manifest(manifest, digest)
    return manifest


def project_digest() -> str:
    """Return a digest of the dbt project's files and of its path, which the manifest contains.

    Modification times would not do: installers may copy them from the wheel, where each release has the same.
    """
    digest = hashlib.sha256(str(DBT_PROJECT).encode())
    for file in sorted(DBT_PROJECT.rglob("*")):
        place = file.relative_to(DBT_PROJECT)
        if file.suffix in PARSED_SUFFIXES and place.parts[0] not in ("target", "logs"):
            digest.update(f"{place}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def manifest_digest(manifest: Path) -> str:
    """Return the digest of the project that a manifest was made from; "None" if dbt was run by hand."""
    return _read(manifest, manifest.stat().st_mtime_ns).digest


@lru_cache(maxsize=1)
def _read(manifest: Path, modified_ns: int) -> _Manifest:  # noqa: ARG001 - a replaced file is read again
    """Read a manifest, which takes as long as many a step, once a process."""
    content = orjson.loads(manifest.read_bytes())
    columns = {
        source["name"]: {column["name"]: column["description"] for column in source["columns"].values()}
        for source in content["sources"].values()
    }
    return _Manifest(str(content["metadata"]["env"].get(PROJECT_DIGEST)), columns)


def write_manifest(manifest: Path, digest: str) -> None:
    """Let dbt parse the project, and replace the manifest atomically.

    Raises:
        DbtProjectError: dbt cannot parse the project.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [DBT_EXECUTABLE, "parse", "--quiet", "--no-partial-parse", "--project-dir", str(DBT_PROJECT)]
        places = ["--profiles-dir", str(DBT_PROJECT), "--target-path", folder, "--log-path", folder]
        done = subprocess.run(  # noqa: S603 - our own dbt
            [*command, *places],
            env=os.environ | {"DBT_PROJECT_DIR": str(DBT_PROJECT), f"{CUSTOM_ENV_PREFIX}{PROJECT_DIGEST}": digest},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DbtProjectError(f"The dbt project cannot be parsed:\n{done.stdout}{done.stderr}")
        draft = manifest.with_suffix(f".{os.getpid()}.tmp")
        shutil.copy(Path(folder) / "manifest.json", draft)
        draft.replace(manifest)

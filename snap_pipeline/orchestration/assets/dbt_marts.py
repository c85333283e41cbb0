"""The insights: dbt marts over what the hours left, and the accounting that they read.

They look at all hours at once and cost seconds before they do anything, so they are no part of the hour.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import orjson
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets
from dagster_dbt.errors import DagsterDbtCliRuntimeError

from snap_pipeline.delivery.accounting import Accounting, Entry, unbalanced_hours
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.errors import PipelineError
from snap_pipeline.hours import parse_hour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import mart
from snap_pipeline.orchestration.assets.hourly_step import OWNERS, schema_of
from snap_pipeline.orchestration.assets.mart_metadata import describe_mart
from snap_pipeline.orchestration.runs import hours_in_flight
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.project_files import DBT_PROJECT, IS_INSTALLED
from snap_pipeline.settings import Settings

DBT = str(Path(sys.executable).with_name("dbt"))
FRESHNESS = dg.FreshnessPolicy.cron(deadline_cron="0 * * * *", lower_bound_delta=timedelta(minutes=50))
"""The insights schedule asks from a quarter past on and waits for the hour's run, at most until five to."""
PARSED = (".sql", ".yml", ".csv", ".md", ".py")
CUSTOM = "DBT_ENV_CUSTOM_ENV_"
"""dbt notes variables of this prefix in the metadata of its manifest, without the prefix."""
PROJECT_DIGEST = "PROJECT_DIGEST"


class DbtProjectError(PipelineError):
    """The dbt project cannot be parsed."""


def build(pipeline: Pipeline) -> list[dg.AssetsDefinition]:
    """The accounting and the dbt models."""
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
        entries, under_way = settled(accounting, hours, pipeline.destinations.list(), context.instance)
        accounting.export(entries)
        destinations = pipeline.destinations.list(include_removed=True)
        accounting.export_destinations(destinations)
        sums = {state: sum(e.events for e in entries if e.entry == state) for state in ("pending", "in_doubt")}
        sums["hours_under_way"] = len(under_way)
        for table, rows, numbers in (("accounting_entries", entries, sums), ("destinations", destinations, {})):
            with pipeline.lake.connect() as connection:
                schema = schema_of(pipeline.lake.storage.columns(connection, mart(table)))
            yield dg.MaterializeResult(
                asset_key=table,
                metadata={"dagster/row_count": len(rows), "dagster/column_schema": schema, **numbers},
            )

    @dbt_assets(manifest=manifest, project=DbtProject(DBT_PROJECT), dagster_dbt_translator=Translator())
    def marts(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        # dbt's logs and compiled models go when the build ends: a build an hour would pile them up, in a folder that
        # may be read-only. Dagster keeps what dbt said.
        with (
            tempfile.TemporaryDirectory(prefix="snap-pipeline-dbt-") as target,
            environment_of(pipeline.settings),
            damage_named(pipeline.lake),
        ):
            for event in dbt.cli(["build"], context=context, target_path=Path(target)).stream():
                yield described(event, context, pipeline.lake)

    return [accounting_entries, marts]


def settled(
    accounting: Accounting, hours: Sequence[datetime], destinations: Sequence[Destination], instance: dg.DagsterInstance
) -> tuple[list[Entry], set[datetime]]:
    """The entries of hours, and the hours that are left out because a run is making them.

    A run replaces the tables of its hour one after the other, and in between they do not add up, which is no fault.
    The next build counts these hours.
    """
    entries = accounting.entries(hours, destinations)
    unbalanced = {parse_hour(hour) for hour in unbalanced_hours(entries)}
    if not unbalanced:
        return entries, unbalanced
    busy = hours_in_flight(instance)
    again = accounting.entries(sorted(unbalanced), destinations)
    busy |= hours_in_flight(instance)
    under_way = busy & {parse_hour(hour) for hour in unbalanced_hours(again)}
    whole = [entry for entry in entries if parse_hour(entry.hour) not in unbalanced]
    return whole + [entry for entry in again if parse_hour(entry.hour) not in under_way], under_way


@contextmanager
def damage_named(lake: Lake) -> Iterator[None]:
    """Name the damaged file of the lake where that is why dbt failed; dbt's message quotes DuckDB's.

    Raises:
        DamagedPartition: a file that a mart reads.
    """
    try:
        yield
    except DagsterDbtCliRuntimeError as error:
        damaged = lake.storage.damaged(str(error))
        if damaged is None:
            raise
        raise damaged from error


def described(event: Any, context: dg.AssetExecutionContext, lake: Lake) -> Any:
    """An event of dbt's, with what Dagster shows of the mart that it tells of."""
    if not isinstance(event, dg.Output):
        return event
    mart = context.asset_key_for_output(event.output_name).path[-1]
    return event.with_metadata({**event.metadata, **describe_mart(lake, mart)})


class Translator(DagsterDbtTranslator):
    """Says of what kind the models are and how fresh the marts shall be; everything else stands in the dbt project."""

    def get_asset_spec(self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None) -> dg.AssetSpec:
        """The spec of one model."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        freshness = FRESHNESS if spec.group_name in ("insights", "report") else None
        return spec.replace_attributes(kinds={"dbt", "duckdb"}, freshness_policy=freshness)


def resources() -> dict[str, Any]:
    """What the marts need of Dagster."""
    return {"dbt": DbtCliResource(project_dir=str(DBT_PROJECT), profiles_dir=str(DBT_PROJECT), dbt_executable=DBT)}


@contextmanager
def environment_of(settings: Settings) -> Iterator[None]:
    """Sets the variables by which the dbt project finds this home's lake and clock, while dbt runs."""
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
    """Return the manifest that Dagster reads of the dbt project, made where it is missing or of other files.

    In a checkout it lies in the project's `target`, for all homes; an installed package is not written to, so that
    there each home has its own.

    Raises:
        DbtProjectError: dbt refuses the project; its words are in the message.
    """
    folder = settings.home.absolute() / "dbt" if IS_INSTALLED else DBT_PROJECT / "target"
    manifest, digest = folder / "manifest.json", project_digest()
    if not manifest.exists() or digest_of(manifest) != digest:
        folder.mkdir(parents=True, exist_ok=True)
        parse_into(manifest, digest)
    return manifest


def project_digest() -> str:
    """Return a digest of the dbt project's files and of where they lie, which a manifest names as well.

    Their times would not do: installers may take them from the wheel, where each release has the same.
    """
    digest = hashlib.sha256(str(DBT_PROJECT).encode())
    for file in sorted(DBT_PROJECT.rglob("*")):
        place = file.relative_to(DBT_PROJECT)
        if file.suffix in PARSED and place.parts[0] not in ("target", "logs"):
            digest.update(f"{place}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def digest_of(manifest: Path) -> str:
    """Return the digest of the project that a manifest was made of; no digest where dbt was run by hand."""
    environment = orjson.loads(manifest.read_bytes())["metadata"]["env"]
    return str(environment.get(PROJECT_DIGEST))


def parse_into(manifest: Path, digest: str) -> None:
    """Let dbt parse the project, and put the manifest into its place as a whole.

    Raises:
        DbtProjectError: dbt refuses the project.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [DBT, "parse", "--quiet", "--no-partial-parse", "--project-dir", str(DBT_PROJECT)]
        places = ["--profiles-dir", str(DBT_PROJECT), "--target-path", folder, "--log-path", folder]
        done = subprocess.run(  # noqa: S603 - our own dbt
            [*command, *places],
            env=os.environ | {"DBT_PROJECT_DIR": str(DBT_PROJECT), f"{CUSTOM}{PROJECT_DIGEST}": digest},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise DbtProjectError(f"The dbt project cannot be parsed:\n{done.stdout}{done.stderr}")
        draft = manifest.with_suffix(f".{os.getpid()}.tmp")
        shutil.copy(Path(folder) / "manifest.json", draft)
        draft.replace(manifest)

"""Private parts of Dagster that this project needs; the linter forbids these imports everywhere else.

Each group is preceded by its reason. A release of Dagster that moves a part breaks this module alone. Web server and
daemon import it through `run_monitoring.py`, so it imports nothing else of the project.
"""

# `AssetCheckEvaluation` is public; the part that says which materialization it is about is not.
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData

# Only a run with an origin belongs to a code location in the UI, and `execute_in_process` makes runs without one.
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME

# An output with this metadata reports no event of its own. In a range, the output of a step would report all hours as
# materialized; a step that made only some of them reports those itself, and later steps need the output to run.
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION as OUTPUT_WITHOUT_EVENTS

# The type of what `define_asset_job` returns, for annotations.
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

# dagster.yaml may name a run launcher of our own, but its base class, its arguments and its result types are private.
from dagster._core.errors import DagsterUserCodeUnreachableError
from dagster._core.execution.api import execute_run

# `get_backfills` is public; its status filter and its result are not.
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

# The type of a public event's `event_specific_data`.
from dagster._core.execution.plan.objects import StepFailureData
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin

# The documentation gives the names of these tags as text.
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    GRPC_INFO_TAG,
    PARTITION_NAME_TAG,
    PRIORITY_TAG,
)

# A run gets its id before it is made, so that its lease can be renewed from the start, but only this makes one.
from dagster._core.utils import make_new_run_id

# Run monitoring asks a code server over gRPC whether it still runs a run; there is no public client.
from dagster._grpc.client import DagsterGrpcClient
from dagster._grpc.types import GetCurrentRunsResult
from dagster._serdes import ConfigurableClassData, deserialize_value
from dagster_shared.error import SerializableErrorInfo

__all__ = [
    "ASSET_PARTITION_RANGE_END_TAG",
    "ASSET_PARTITION_RANGE_START_TAG",
    "GRPC_INFO_TAG",
    "OUTPUT_WITHOUT_EVENTS",
    "PARTITION_NAME_TAG",
    "PRIORITY_TAG",
    "SINGLETON_REPOSITORY_NAME",
    "AssetCheckEvaluationTargetMaterializationData",
    "BulkActionStatus",
    "CheckRunHealthResult",
    "ConfigurableClassData",
    "DagsterGrpcClient",
    "DagsterUserCodeUnreachableError",
    "DefaultRunLauncher",
    "GetCurrentRunsResult",
    "InMemoryJob",
    "PartitionBackfill",
    "RegisteredCodeLocationOrigin",
    "RemoteJobOrigin",
    "RemoteRepositoryOrigin",
    "SerializableErrorInfo",
    "StepFailureData",
    "UnresolvedAssetJobDefinition",
    "WorkerStatus",
    "deserialize_value",
    "execute_run",
    "make_new_run_id",
]

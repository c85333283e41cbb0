"""One event of the user's: taken through all steps in a scratch lake, and validated by Snap. Nothing of it is kept."""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from snap_pipeline.delivery.trace import Trace
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.errors import PipelineError
from snap_pipeline.hours import format_hour
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.storage import Table, partition
from snap_pipeline.lake.upload import Upload
from snap_pipeline.pipeline import Pipeline
from snap_pipeline.plurals import quantity


class UnusableEvent(PipelineError):
    """A file whose event cannot be tried; the message says why."""


@dataclass(frozen=True)
class EventTrial:
    """One event as it would be sent.

    Attributes:
        body: its JSON.
        asset_id: the pixel or app that it belongs to.
        status: `pending`, or why it would not be sent.
    """

    body: str
    asset_id: str
    status: str


def try_event(pipeline: Pipeline, destination: Destination, file: Path) -> EventTrial:
    """Map and hash the event in a file as if it had landed in the running hour.

    What other events say about the person is not added, since the scratch lake holds no others.

    Raises:
        UnusableEvent: the file does not hold exactly one event, or the event is no conversion.
    """
    with TemporaryDirectory(prefix="snap-pipeline-event-") as folder:  # readable by its owner alone
        places = {"landing_folder": Path(folder) / "landing", "lake_folder": Path(folder) / "lake"}
        scratch = Pipeline(pipeline.settings.model_copy(update=places))
        hour = scratch.settings.running_hour
        upload = Upload(
            scratch.lake,
            scratch.landing,
            workspace=destination.workspace,
            origin=None,
            hour=hour,
            first_hour=hour,
            running_hour=hour,
        )
        landed = upload.land(file)
        if (landed.lines, landed.unreadable) != (1, 0):
            raise UnusableEvent(
                f"{file} must hold exactly one event. It holds {quantity(landed.lines, 'line')}, of which "
                f"{landed.unreadable:,} cannot be read."
            )
        make_raw_events(scratch.lake, scratch.landing, hour)
        scratch.transformations.make_identity_links(hour)
        scratch.transformations.make_filtered_events(hour)
        scratch.transformations.make_conversion_payloads(hour)
        trace = Trace(scratch.lake, scratch.mappings, scratch.states(), scratch.landing)
        receiver = replace(destination, since=format_hour(hour))
        found = list(
            trace.events(_value(scratch, Table.RAW_EVENTS, "event_id"), [hour], [receiver], with_requests=True)
        )
        if not found or found[0].verdict:
            why = found[0].verdict if found else "it cannot be read"
            raise UnusableEvent(f"The event in {file} would not be sent, since it is no conversion: {why}.")
        (delivery,) = found[0].deliveries
        is_of_app = _value(scratch, Table.CONVERSION_PAYLOADS, "conversion_type") == "MOBILE_APP"
        asset_id = (destination.snap_app_id if is_of_app else None) or destination.pixel_id
        return EventTrial(delivery.body or "", asset_id, delivery.status)


def _value(scratch: Pipeline, table: Table, column: str) -> str:
    """Return a column of the only row of the running hour; empty if there is none."""
    rows = scratch.lake.storage.scan([partition(table, scratch.settings.running_hour)])
    with scratch.lake.connect() as connection:
        row = connection.execute(f"select {column} from {rows}").fetchone()
    return str(row[0]) if row else ""

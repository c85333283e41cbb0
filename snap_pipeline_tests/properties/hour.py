"""Runner of one hour through the real steps, from landed lines to the bodies of each API version."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings

from snap_pipeline.capi.api_version import DIALECTS, ApiVersion
from snap_pipeline.delivery.ledger import Ledger
from snap_pipeline.destinations.store import Destination
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline_tests.project import HOUR, PIXEL_ID, SNAP_APP_ID, Project

few_hours = settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    # To shrink an example is to run hundreds of hours; a failure names the events that are at fault.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
"""Few examples, since each is an hour of many events; derandomized, so that runs do not differ."""


@dataclass
class Hour:
    """Outcome of an hour's lines.

    Attributes:
        quarantined: numbers of the lines that no event was read from.
        excluded: ids of the events that are no conversions.
        payloads: rows of `conversion_payloads`.
    """

    quarantined: list[int]
    excluded: list[str]
    payloads: list[dict[str, Any]]


class Hours:
    """Runner of hours, each of which replaces the one before.

    Args:
        home: an empty folder.
    """

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        (home / "workspaces.toml").write_text(
            '[default]\nsite_url = "https://shop.example/"\ndefault_currency = "EUR"\ndefault_calling_code = "44"\n'
        )
        self._project = Project(home, "http://127.0.0.1:9")
        add = self._project.add_destination
        self._destinations: dict[ApiVersion, Destination] = {
            "v3": add("v3", api_version="v3"),
            "v2": add("v2", api_version="v2", pixel_id=SNAP_APP_ID),
        }

    def run(self, lines: Sequence[str]) -> Hour:
        """Land the lines as one file and make the hour."""
        project, pipeline = self._project, self._project.pipeline
        project.land(*lines)
        make_raw_events(pipeline.lake, pipeline.landing, HOUR)
        pipeline.transformations.make_filtered_events(HOUR)
        pipeline.transformations.make_conversion_payloads(HOUR)
        return Hour(
            quarantined=[row["line_number"] for row in project.rows("quarantined_lines")],
            excluded=[row["event_id"] for row in project.rows("excluded_events")],
            payloads=project.rows("conversion_payloads"),
        )

    def payloads(self, events: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return the rows of `conversion_payloads` in the order of the events, all of which must be conversions."""
        lines = [json.dumps({"event_id": f"{n:05}"} | dict(event)) for n, event in enumerate(events)]
        rows = sorted(self.run(lines).payloads, key=lambda row: str(row["event_id"]))
        assert len(rows) == len(lines)
        return rows

    def bodies(self, version: ApiVersion) -> list[dict[str, Any]]:
        """Return the bodies of the last hour for a destination, without undeliverable events."""
        pipeline, destination = self._project.pipeline, self._destinations[version]
        with pipeline.lake.connect() as connection:
            pipeline.mappings.load_standards(connection)
            ledger = Ledger(pipeline.lake, HOUR, destination.id, destination.workspace)
            assert pipeline.states().prepare(connection, ledger, destination, HOUR)
            connection.execute(
                "create table due as select file_row_number, 0 as position from payload_states where is_deliverable"
            )
            dialect = DIALECTS[version]
            parameters = dialect.projection_parameters(PIXEL_ID, SNAP_APP_ID)
            return [json.loads(row[2]) for row in connection.execute(dialect.projection, parameters).fetchall()]


def leaves(value: Any) -> list[str]:
    """Return every text in a decoded value, without keys."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for item in value for text in leaves(item)]
    return [value] if isinstance(value, str) else []

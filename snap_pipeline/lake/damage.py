"""Damaged partitions: the error that names one, with the remedy.

A failing disk, an interrupted copy or a restored backup can leave a partition that is not a complete Parquet file.
Nobody reads files to find out: only after DuckDB has failed, the file that it names is read once more, whole and alone.
"""

import re
from pathlib import Path

from snap_pipeline.errors import LakeError

NAMED_FILE = re.compile(r"['\"]([^'\"]+\.parquet)['\"]")
NAMES_NO_FILE = "TProtocolException"
"""DuckDB's error for a corrupt footer of the right length; it names no file."""

PRODUCING_ASSETS = {
    "raw_events": "raw_events",
    "quarantined_lines": "raw_events",
    "identity_links": "identity_links",
    "filtered_events": "filtered_events",
    "excluded_events": "filtered_events",
    "conversion_payloads": "conversion_payloads",
    "parameter_completeness": "parameter_completeness",
}
"""The asset that produces each table of an hour."""


class DamagedPartition(LakeError):
    """A file of the lake that is not a complete Parquet file.

    Attributes:
        path: the damaged file.
        table: the table that it is a partition of, or the mart.
        hour: the key of the partition's hour; None for a mart.
    """

    def __init__(self, key: str, path: Path, reason: str) -> None:
        self.path = path
        self.table, *folders = key.split("/")[:-1]
        self.hour = folders[0].removeprefix("hour=") if folders else None
        of_hour = f" of {self.hour}" if self.hour else ""
        super().__init__(f"{self.table}{of_hour} is damaged ({_plain(reason)}): {path}. {self._remedy()}")

    def _remedy(self) -> str:
        if self.hour is None:
            return "Delete the file and run `snap-pipeline insights`, which makes it again."
        if self.table in PRODUCING_ASSETS:
            return (
                f"Delete the file and materialize the hour from {PRODUCING_ASSETS[self.table]} on, as "
                f"`snap-pipeline materialize --from {self.hour} --to {self.hour}` does; or restore it from a backup "
                "where the hour's landing files are gone."
            )
        if self.table == "delivery_requests":
            return "Restore it from a backup, or delete it: only the log of requests is lost, no record of delivery."
        return (
            "Restore it from a backup. It records what was sent: delete it only if the events may be sent again, which "
            "Snap counts once within 48 hours of the first time and twice after that."
        )


def _plain(reason: str) -> str:
    reason = reason.removeprefix("Invalid Input Error: ")
    return reason.replace("file '…'", "the file").replace('file "…": ', "it: ")

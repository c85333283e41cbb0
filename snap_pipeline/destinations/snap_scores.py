"""Snap's own scores of the destinations: asked for once a day, kept as they came, and read into one table.

Answers are kept for good, in `snap_score_answers`. The table `snap_scores` is made from those of the last days at each
build, so that a better reading also reads older answers.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from snap_pipeline.capi.signal_readiness import Asset, ScoresAnswer, read_scores, request_scores
from snap_pipeline.destinations.destination import Destination
from snap_pipeline.destinations.store import DestinationStore
from snap_pipeline.errors import PipelineError
from snap_pipeline.hours import format_hour
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import Table, ledger_folder, mart
from snap_pipeline.project_files import SEEDS

READ_DAYS = 30
"""Days of answers that are read again at each build."""
DEFAULT_TYPES = {"pixels": "WEB", "mobile_apps": "MOBILE_APP"}
"""The conversion type of an asset's scores that name no action source."""

ANSWER_COLUMNS = {
    "workspace": "varchar",
    "destination_name": "varchar",
    "asset": "varchar",
    "asset_id": "varchar",
    "asked_at": "timestamp",
    "http_status": "integer",
    "message": "varchar",
    "answer": "varchar",
}
SCORE_COLUMNS = {
    "day": "date",
    "destination_id": "varchar",
    "workspace": "varchar",
    "asset": "varchar",
    "asked_at": "timestamp",
    "event_name": "varchar",
    "conversion_type": "varchar",
    "event_source": "varchar",
    "score_name": "varchar",
    "is_overall": "boolean",
    "score": "double",
}


@dataclass
class Refreshed:
    """The result of one refresh.

    Attributes:
        outcomes: the outcome in words, by destination and asset that was asked.
        with_scores: requests that Snap answered with scores.
        not_understood: kept answers of today in which no score was found.
        scores: rows of `snap_scores`.
    """

    outcomes: dict[str, str] = field(default_factory=dict)
    with_scores: int = 0
    not_understood: int = 0
    scores: int = 0


class SnapScores:
    """The answers of the Signal Readiness API in the lake.

    Args:
        lake: keeps answers and scores.
        destinations: have the pixels and tokens.
        base_url: of the API.
    """

    def __init__(self, lake: Lake, destinations: DestinationStore, base_url: str) -> None:
        self._lake, self._storage = lake, lake.storage
        self._destinations, self._base_url = destinations, base_url

    def refresh(self, now: datetime) -> Refreshed:
        """Ask for the scores of each live destination that has none of today, and read the kept answers.

        Args:
            now: the data clock's time, in UTC.

        Raises:
            LakeError: the lake cannot be read or written.
        """
        refreshed = Refreshed()
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        for destination in self._destinations.list():
            key = f"{ledger_folder(Table.SNAP_SCORE_ANSWERS, day, destination.id)}/data.parquet"
            if destination.state == "live" and not self._is_complete(key):
                answers = [(*asset, self._ask(destination, *asset)) for asset in _assets(destination)]
                self._keep(key, destination, answers, now)
                for asset, _, answer in answers:
                    refreshed.outcomes[f"{destination.name}/{asset}"] = answer.message
                    refreshed.with_scores += answer.has_scores
        self._read_answers(day, refreshed)
        return refreshed

    def _is_complete(self, key: str) -> bool:
        with self._lake.connect() as connection:
            return bool(self._storage.notes(connection, key).get("complete"))

    def _ask(self, destination: Destination, asset: Asset, asset_id: str) -> ScoresAnswer:
        try:
            token = self._destinations.access_token(destination)
        except PipelineError as error:  # scores are an extra: the marts are built without them
            return ScoresAnswer(None, None, f"Snap was not asked for scores: {error}")
        return request_scores(self._base_url, asset, asset_id, token)

    def _keep(
        self, key: str, destination: Destination, answers: list[tuple[Asset, str, ScoresAnswer]], now: datetime
    ) -> None:
        rows = [
            (
                *(destination.workspace, destination.name, asset, asset_id, now.replace(tzinfo=None)),
                *(answer.http_status, answer.message, answer.body),
            )
            for asset, asset_id, answer in answers
        ]
        complete = all(answer.has_scores for *_, answer in answers)
        self._write(key, ANSWER_COLUMNS, rows, complete=complete)

    def _read_answers(self, day: datetime, refreshed: Refreshed) -> None:
        """Write `snap_scores` from the kept answers of the last days."""
        with (SEEDS / "snap_event_names.csv").open(encoding="utf-8", newline="") as seed:
            event_names = {row["snap_name"] for row in csv.DictReader(seed)}
        rows: list[tuple[object, ...]] = []
        for hour, destination_id, workspace, asset, asked_at, answer in self._kept_answers(day):
            scores = read_scores(answer, event_names)
            refreshed.not_understood += not scores and hour == format_hour(day)
            rows += [
                (
                    *(hour[:10], destination_id, workspace, asset, asked_at, score.event_name),
                    *(score.conversion_type or DEFAULT_TYPES[asset], score.event_source),
                    *(score.name, score.is_overall, score.score),
                )
                for score in scores
            ]
        refreshed.scores = len(rows)
        self._write(mart("snap_scores"), SCORE_COLUMNS, rows)

    def _kept_answers(self, day: datetime) -> list[tuple[str, str, str, Asset, datetime, str]]:
        keys = list(self._keys_since(day - timedelta(days=READ_DAYS)))
        if not keys:
            return []
        with self._lake.connect() as connection:
            return connection.execute(
                f"select hour, destination, workspace, asset, asked_at, answer "
                f"from {self._storage.scan(keys, hive=True, by_name=True)} "
                "where http_status = 200 and answer is not null order by all"
            ).fetchall()

    def _keys_since(self, first: datetime) -> Iterator[str]:
        oldest = f"hour={format_hour(first)}"
        for hour in self._storage.names(Table.SNAP_SCORE_ANSWERS):
            if hour >= oldest:
                folder = f"{Table.SNAP_SCORE_ANSWERS}/{hour}"
                keys = [f"{folder}/{name}/data.parquet" for name in self._storage.names(folder)]
                yield from self._storage.existing(keys)

    def _write(self, key: str, columns: dict[str, str], rows: Sequence[tuple[object, ...]], **notes: object) -> None:
        with self._lake.connect() as connection:
            connection.execute(f"create table kept ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
            if rows:
                connection.executemany(f"insert into kept values ({', '.join('?' * len(columns))})", rows)
            self._storage.commit(connection, key, "from kept", metadata=notes)


def _assets(destination: Destination) -> list[tuple[Asset, str]]:
    assets: list[tuple[Asset, str]] = [("pixels", destination.pixel_id)]
    return assets + ([("mobile_apps", destination.snap_app_id)] if destination.snap_app_id else [])

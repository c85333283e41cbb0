"""The requests of one batch, with the retries of its answers; `batch_sender.py` settles the events by the last one.

An intent is written ahead of the first request, and dropped once it is certain that Snap took nothing of the batch. A
crash at any moment therefore leaves the events in doubt rather than pending.
"""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from time import sleep
from typing import NamedTuple

import duckdb
from tenacity import RetryCallState, Retrying, retry_if_result

from snap_pipeline.capi.answers import Action, Answer
from snap_pipeline.capi.session import ApiSession
from snap_pipeline.delivery.dispatch_outcome import DestinationStopped, DispatchStats
from snap_pipeline.delivery.ledger import Batch, Ledger
from snap_pipeline.delivery.throttle import Throttle

JITTER = 0.2
"""Share of a pause that is added at random, so that several processes do not retry at the same instant."""


class Attempt(NamedTuple):
    """The outcome of a batch's requests.

    Attributes:
        answer: to the last request.
        sent_at: when the first one was sent.
        is_in_doubt: whether an earlier request, of this run or another, may have been taken.
    """

    answer: Answer
    sent_at: datetime
    is_in_doubt: bool


class BatchAttempts:
    """The requests of batches of one destination and hour; safe to use from several threads.

    Args:
        session: the destination's access to Snap.
        ledger: gets intents and requests.
        stats: counts the requests.
        throttle: is slowed down by HTTP 429.
        ensure_lease_held: raises when the lease is lost.
        cursor: gives a DuckDB connection for the calling thread.
        validate_only: sends to the validate endpoint, which counts nothing.
    """

    def __init__(
        self,
        *,
        session: ApiSession,
        ledger: Ledger,
        stats: DispatchStats,
        throttle: Throttle,
        ensure_lease_held: Callable[[], None],
        cursor: Callable[[], duckdb.DuckDBPyConnection],
        validate_only: bool,
    ) -> None:
        self._session, self._ledger, self._stats, self._throttle = session, ledger, stats, throttle
        self._ensure_lease_held, self._cursor, self._validate_only = ensure_lease_held, cursor, validate_only

    def send(self, asset_id: str, batch: Batch) -> Attempt:
        """Send a batch, and retry by the rules of its answers.

        Args:
            asset_id: the pixel or app that the events belong to.
            batch: the events.

        Raises:
            DestinationStopped: Snap throttled the requests for longer than the rule's patience.
        """
        in_doubt = not self._ledger.write_intent(self._cursor(), batch, datetime.now(UTC))
        sent_at = datetime.now(UTC)

        def request() -> Answer:
            nonlocal in_doubt
            answer = self._request(asset_id, batch, attempts.statistics["attempt_number"])
            if answer.rule.action is Action.RETRY and not answer.rule.nothing_taken:
                in_doubt = True
            return answer

        attempts = Retrying(
            stop=_is_last,
            wait=_pause,
            retry=retry_if_result(lambda answer: answer.rule.action is Action.RETRY),
            retry_error_callback=_answer,
            sleep=sleep,
        )
        try:
            return Attempt(attempts(request), sent_at, in_doubt)
        except DestinationStopped:
            self.drop_intent(batch, unless=in_doubt)
            raise

    def drop_intent(self, batch: Batch, *, unless: bool) -> None:
        """Drop a batch's intent, since Snap took none of its events, unless it is in doubt."""
        if not unless:
            self._ledger.drop_intent(batch)

    def _request(self, asset_id: str, batch: Batch, attempt: int) -> Answer:
        waited = self._session.permit()
        self._ensure_lease_held()
        sent_at = datetime.now(UTC)
        answer = self._session.send(asset_id, batch.bodies, validate=self._validate_only)
        self._ledger.note_request(
            {
                "request_id": uuid.uuid4().hex,
                "batch_id": batch.batch_id,
                "attempt": attempt,
                "events": len(batch),
                "bytes": sum(map(len, batch.bodies)),
                "sent_at": sent_at,
                "latency_ms": None if answer.http_status is None else answer.latency_ms,
                "waited_ms": waited * 1000,
                "http_status": answer.http_status,
                "category": answer.category,
                "message": answer.message,
            }
        )
        self._stats.count_request(answer, attempt, waited)
        if answer.rule.action is Action.SLOW_DOWN:
            self._throttle.slow_down(answer)
        return answer


def _is_last(state: RetryCallState) -> bool:
    return state.attempt_number > _answer(state).rule.retry.retries


def _pause(state: RetryCallState) -> float:
    seconds = _answer(state).rule.retry.pauses.seconds(state.attempt_number)
    return seconds + seconds * JITTER * (uuid.uuid4().int % 1000) / 1000


def _answer(state: RetryCallState) -> Answer:
    assert state.outcome is not None  # noqa: S101 - tenacity asks after an attempt alone
    answer: Answer = state.outcome.result()
    return answer

"""One batch to Snap until it is settled: retries, slowing down, halving, and what each answer writes down.

The rules are the catalogue of `capi/answers.py`. Which batches there are is decided in `dispatch.py`.
"""

import hashlib
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic, sleep

import duckdb
from tenacity import RetryCallState, Retrying, retry_if_result

from snap_pipeline.capi.answers import Action, Answer, Category
from snap_pipeline.capi.session import ApiSession
from snap_pipeline.delivery.ledger import Batch, Ledger
from snap_pipeline.errors import PipelineError

FAILED_BATCHES_IN_A_ROW = 3
EVENT_CLASSES = 8
"""Classes by what the events are. A batch class is one of them, plus as many where its events are not in doubt."""
UNPROVEN_REFUSALS = 16
"""How many refused events are held back while nothing of this run was accepted."""
REFUSED_REQUESTS = 1_000
"""How many requests of a run may be refused before the rest stays pending."""


class DestinationStopped(PipelineError):
    """Nothing more goes to this destination in this run; what was not settled stays pending."""

    def __init__(self, answer: Answer, why: str) -> None:
        super().__init__(f"{why} {answer.explanation}".strip())
        self.answer = answer

    @property
    def is_for_the_user(self) -> bool:
        """Whether somebody must mend something before another run can do better."""
        return self.answer.rule.action is Action.STOP


@dataclass
class DispatchStats:
    """What one run did for one destination and hour; guarded by the sender's lock."""

    delivered: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    retries: int = 0
    waited_ms: float = 0.0
    latencies_ms: list[float] = field(default_factory=list)
    categories: Counter[str] = field(default_factory=Counter)
    last_error: str | None = None
    last_failure: Answer | None = None


@dataclass(frozen=True)
class _Refusal:
    event: Batch
    reason: str
    http_status: int
    sent_at: datetime


class BatchSender:
    """Settles batches of one destination and hour. `deliver` may be called from several threads.

    Args:
        destination_id: goes into the batch ids.
        session: the destination's access to Snap.
        pixel_id: what a probe is sent to.
        ledger: gets intents, receipts and requests.
        still_allowed: raises when the lease is lost.
        validate_only: sends to the validate endpoint, which counts nothing.
        cursor: gives a DuckDB connection for the calling thread.
    """

    def __init__(
        self,
        *,
        destination_id: str,
        session: ApiSession,
        pixel_id: str,
        ledger: Ledger,
        still_allowed: Callable[[], None],
        cursor: Callable[[], duckdb.DuckDBPyConnection],
        validate_only: bool = False,
    ) -> None:
        self.stats = DispatchStats()
        self._destination_id = destination_id
        self._session, self._pixel_id, self._ledger = session, pixel_id, ledger
        self._still_allowed, self._cursor = still_allowed, cursor
        self._validate_only = validate_only
        self._lock = threading.RLock()
        self._stopped = threading.Event()
        self._proven = False
        self._held: list[_Refusal] = []
        self._failed_in_a_row = 0
        self._refused_requests = 0
        self._throttled_since: float | None = None
        self._throttled_times = 0

    def batch(self, batch_class: int, wire_rows: Sequence[tuple[int, str, bytes]]) -> Batch:
        """A batch of due events of one class that follow each other: position, event id, body."""
        positions, event_ids, bodies = zip(*wire_rows, strict=True)
        return Batch(self._batch_id(batch_class, event_ids), batch_class, positions, event_ids, bodies)

    def deliver(self, asset_id: str, batch: Batch) -> None:
        """Sends a batch and whatever parts of it must be sent again, until each event is settled or in doubt.

        Raises:
            DestinationStopped: by the catalogue, or because too much failed in a row.
        """
        waiting = [batch]
        while waiting and not self._stopped.is_set():
            try:
                waiting.extend(reversed(self._settle(asset_id, waiting.pop())))
            except BaseException:
                self._stopped.set()
                raise

    def conclude(self) -> None:
        """Decides on refusals that are still held back because nothing of this run was accepted.

        Raises:
            DestinationStopped: the destination accepts nothing at all, so nothing was rejected.
        """
        with self._lock:
            if self._held and not self._proven:
                self._prove()
            self._release()

    def _settle(self, asset_id: str, batch: Batch) -> list[Batch]:
        """Sends once, with retries; returns the batches that remain to be sent."""
        noted_now = self._ledger.write_intent(self._cursor(), batch, datetime.now(UTC))
        doubted = not noted_now
        sent_at = datetime.now(UTC)

        def attempt() -> Answer:
            nonlocal doubted
            answer = self._request(asset_id, batch, attempts.statistics["attempt_number"])
            if answer.rule.action is Action.RETRY and not answer.rule.nothing_taken:
                doubted = True
            return answer

        attempts = Retrying(
            stop=_retried_enough,
            wait=_retry_wait,
            retry=retry_if_result(lambda answer: answer.rule.action is Action.RETRY),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
            sleep=sleep,
        )
        try:
            answer: Answer = attempts(attempt)
        except DestinationStopped:
            self._forget_unless(doubted, batch)
            raise
        if answer.rule.action in (Action.RETRY, Action.SLOW_DOWN, Action.STOP):
            self._forget_unless(doubted, batch)
            return self._unsettled(answer, batch)
        try:
            remaining = self._record(batch, answer, sent_at)
        except DestinationStopped:  # over a refusal, which proves that nothing was taken
            self._forget_unless(doubted, batch)
            raise
        self._forget_unless(doubted and bool(remaining), batch)
        return remaining

    def _forget_unless(self, doubted: bool, batch: Batch) -> None:
        if not doubted:
            self._ledger.drop_intent(batch)

    def _unsettled(self, answer: Answer, batch: Batch) -> list[Batch]:
        if answer.rule.action is Action.SLOW_DOWN:
            return [batch]
        if answer.rule.action is Action.STOP:
            raise DestinationStopped(answer, "The destination was stopped:")
        with self._lock:
            self._failed_in_a_row += 1
            if self._failed_in_a_row >= FAILED_BATCHES_IN_A_ROW:
                raise DestinationStopped(answer, f"{FAILED_BATCHES_IN_A_ROW} batches in a row failed:")
        return []

    def _record(self, batch: Batch, answer: Answer, sent_at: datetime) -> list[Batch]:
        """Writes receipts for what the answer settles and returns what is to be sent again."""
        with self._lock:
            self._failed_in_a_row = 0
            self._throttled_since, self._throttled_times = None, 0
        status = answer.http_status or 0
        if answer.rule.action is Action.DELIVER:
            self._write_delivered(batch, status, sent_at)
            return []
        self._count_refusal(answer)
        if answer.refused or (len(batch) == 1 and answer.category is Category.REFUSED):
            refused = dict(answer.refused) or {0: answer.message or "refused without a reason"}
            others = [index for index in range(len(batch)) if index not in refused]
            if answer.others_taken and others:
                self._write_delivered(batch.part(batch.batch_id, others), status, sent_at)
                others = []
            self._hold([_Refusal(batch.part(batch.batch_id, [i]), why, status, sent_at) for i, why in refused.items()])
            return [self._part(batch, others)] if others else []
        if len(batch) == 1:
            self._hold([_Refusal(batch, "too large for one request", status, sent_at)])
            return []
        middle = len(batch) // 2
        return [self._part(batch, range(middle)), self._part(batch, range(middle, len(batch)))]

    def _write_delivered(self, batch: Batch, status: int, sent_at: datetime) -> None:
        self._ledger.write_receipts(
            self._cursor(),
            batch,
            reason=None,
            http_status=status,
            sent_at=sent_at,
            acknowledged_at=datetime.now(UTC),
        )
        with self._lock:
            self._proven = True
            self.stats.delivered += len(batch)
            self._release()

    def _hold(self, refusals: Sequence[_Refusal]) -> None:
        """Rejects events at once where this run has seen one accepted, and otherwise after a probe."""
        with self._lock:
            self._held.extend(refusals)
            if not self._proven and len(self._held) >= UNPROVEN_REFUSALS:
                self._prove()
            if self._proven:
                self._release()

    def _prove(self) -> None:
        answer = self._session.test(self._pixel_id)
        if answer.category is not Category.ACCEPTED:
            self._held.clear()
            raise DestinationStopped(answer, "Every event was refused, and so was a test event:")
        self._proven = True

    def _release(self) -> None:
        for refusal in self._held:
            self._ledger.write_receipts(
                self._cursor(),
                refusal.event,
                reason=refusal.reason,
                http_status=refusal.http_status,
                sent_at=refusal.sent_at,
                acknowledged_at=datetime.now(UTC),
            )
            self.stats.rejected += 1
            self.stats.reasons[refusal.reason] += 1
            self.stats.last_error = refusal.reason
        self._held.clear()

    def _count_refusal(self, answer: Answer) -> None:
        with self._lock:
            self._refused_requests += 1
            if self._refused_requests > REFUSED_REQUESTS:
                raise DestinationStopped(answer, f"{REFUSED_REQUESTS} requests of this run were refused:")

    def _part(self, batch: Batch, indices: Sequence[int]) -> Batch:
        event_ids = [batch.event_ids[i] for i in indices]
        return batch.part(self._batch_id(batch.batch_class, event_ids), indices)

    def _batch_id(self, batch_class: int, event_ids: Sequence[str]) -> str:
        """Derive a batch's id, which stays the same when it is sent again because it is in doubt.

        Events of different classes may bear the same ids.
        """
        parts = (self._destination_id, str(batch_class % EVENT_CLASSES), *event_ids)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]

    def _request(self, asset_id: str, batch: Batch, attempt: int) -> Answer:
        waited = self._session.permit()
        self._still_allowed()
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
        self._count(answer, attempt, waited)
        if answer.rule.action is Action.SLOW_DOWN:
            self._back_off(answer)
        return answer

    def _count(self, answer: Answer, attempt: int, waited: float) -> None:
        with self._lock:
            stats = self.stats
            stats.requests += 1
            stats.retries += attempt > 1
            stats.waited_ms += waited * 1000
            stats.categories[answer.category] += 1
            if answer.latency_ms is not None and answer.http_status is not None:
                stats.latencies_ms.append(answer.latency_ms)
            if answer.category is not Category.ACCEPTED:
                stats.last_error, stats.last_failure = answer.explanation, answer

    def _back_off(self, answer: Answer) -> None:
        """Makes everything on the token wait, twice as long each time, as long as the patience lasts.

        Raises:
            DestinationStopped: the patience went by without an accepted request.
        """
        retry = answer.rule.retry
        with self._lock:
            now = monotonic()
            self._throttled_since = self._throttled_since or now
            if now - self._throttled_since > retry.patience_seconds:
                minutes = f"{retry.patience_seconds / 60:g} minutes"
                raise DestinationStopped(answer, f"{minutes} went by in which Snap took nothing:")
            self._throttled_times += 1
            seconds = max(answer.retry_after or 0.0, retry.pauses.seconds(self._throttled_times))
        self._session.slow_down(seconds)


def _retried_enough(state: RetryCallState) -> bool:
    return state.attempt_number > _answer(state).rule.retry.retries


def _retry_wait(state: RetryCallState) -> float:
    """Return the pause of the answer's rule and some more, so that several processes do not strike together."""
    seconds = _answer(state).rule.retry.pauses.seconds(state.attempt_number)
    return seconds + seconds * 0.2 * (uuid.uuid4().int % 1000) / 1000


def _answer(state: RetryCallState) -> Answer:
    assert state.outcome is not None  # noqa: S101 - tenacity asks after an attempt alone
    answer: Answer = state.outcome.result()
    return answer

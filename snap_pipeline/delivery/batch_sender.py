"""Settlement of batches: each event is delivered, rejected, sent again in a smaller batch, or left for another run.

The rules are the catalogue of `capi/answers.py`. Three parts do the work: the requests of one batch with their retries
(`batch_attempt.py`), refused events that are held back until the destination is proven to accept any (`refusals.py`),
and the throttle (`throttle.py`). The batches are cut in `batches.py`.
"""

import hashlib
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import duckdb

from snap_pipeline.capi.answers import Action, Answer, Category
from snap_pipeline.capi.session import ApiSession
from snap_pipeline.delivery.batch_attempt import BatchAttempts
from snap_pipeline.delivery.dispatch_outcome import DestinationStopped, DispatchStats
from snap_pipeline.delivery.ledger import Batch, Ledger
from snap_pipeline.delivery.refusals import Refusal, Refusals
from snap_pipeline.delivery.throttle import Throttle

FAILED_BATCHES_IN_A_ROW = 3
"""Batches without success, each with its retries, after which the destination stops: more requests
end no outage."""
EVENT_CLASSES = 8
"""The number of classes by asset, name and currency. Events that are not in doubt have classes of their own, numbered
from here on, since both kinds must not share a request."""


class BatchSender:
    """The sender of batches of one destination and hour. `deliver` may be called from several threads.

    Args:
        destination_id: goes into the batch ids.
        session: the destination's access to Snap.
        pixel_id: the pixel to which a test event goes.
        ledger: gets intents, receipts and requests.
        ensure_lease_held: raises when the lease is lost.
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
        ensure_lease_held: Callable[[], None],
        cursor: Callable[[], duckdb.DuckDBPyConnection],
        validate_only: bool = False,
    ) -> None:
        self.stats = DispatchStats()
        self._destination_id, self._ledger, self._cursor = destination_id, ledger, cursor
        self._throttle = Throttle(session)
        self._refusals = Refusals(lambda: session.test(pixel_id), self._reject)
        self._attempts = BatchAttempts(
            session=session,
            ledger=ledger,
            stats=self.stats,
            throttle=self._throttle,
            ensure_lease_held=ensure_lease_held,
            cursor=cursor,
            validate_only=validate_only,
        )
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._failed_in_a_row = 0

    def batch(self, batch_class: int, wire_rows: Sequence[tuple[int, str, str, bytes]]) -> Batch:
        """Create a batch of consecutive due events of one class; each row is position, event id, name and body."""
        positions, event_ids, event_names, bodies = zip(*wire_rows, strict=True)
        keys = list(zip(event_ids, event_names, strict=True))
        return Batch(self._batch_id(batch_class, keys), batch_class, positions, keys, bodies)

    def deliver(self, asset_id: str, batch: Batch) -> None:
        """Send a batch, and the parts of it that must be sent again, until each event is settled or in doubt.

        Raises:
            DestinationStopped: by the answer's rule, or after too many failures in a row.
        """
        waiting = [batch]
        while waiting and not self._stopped.is_set():
            try:
                waiting.extend(reversed(self._settle(asset_id, waiting.pop())))
            except BaseException:
                self._stopped.set()
                raise

    def conclude(self) -> None:
        """Decide on refusals that are still held back because the run had no accepted event.

        Raises:
            DestinationStopped: the destination refuses a test event too, so nothing was rejected.
        """
        self._refusals.conclude()

    def _settle(self, asset_id: str, batch: Batch) -> list[Batch]:
        """Send once, with retries, and return the batches that remain to be sent."""
        answer, sent_at, in_doubt = self._attempts.send(asset_id, batch)
        if answer.rule.action in (Action.RETRY, Action.SLOW_DOWN, Action.STOP):
            self._attempts.drop_intent(batch, unless=in_doubt)
            return self._unsettled(answer, batch)
        try:
            remaining = self._record(batch, answer, sent_at)
        except DestinationStopped:  # over a refusal, which proves that nothing was taken
            self._attempts.drop_intent(batch, unless=in_doubt)
            raise
        self._attempts.drop_intent(batch, unless=in_doubt and bool(remaining))
        return remaining

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
        """Write receipts for the events that the answer settles, and return batches of the others."""
        with self._lock:
            self._failed_in_a_row = 0
        self._throttle.end()
        status = answer.http_status or 0
        if answer.rule.action is Action.DELIVER:
            self._accept(batch, status, sent_at)
            return []
        self._refusals.count_request(answer)
        if answer.refused or (len(batch) == 1 and answer.category is Category.REFUSED):
            refused = dict(answer.refused) or {0: answer.message or "refused without a reason"}
            others = [index for index in range(len(batch)) if index not in refused]
            if answer.others_taken and others:
                self._accept(batch.part(batch.batch_id, others), status, sent_at)
                others = []
            self._refusals.add(
                [Refusal(batch.part(batch.batch_id, [i]), why, status, sent_at) for i, why in refused.items()]
            )
            return [self._part(batch, others)] if others else []
        if len(batch) == 1:
            self._refusals.add([Refusal(batch, "too large for one request", status, sent_at)])
            return []
        middle = len(batch) // 2
        return [self._part(batch, range(middle)), self._part(batch, range(middle, len(batch)))]

    def _accept(self, batch: Batch, status: int, sent_at: datetime) -> None:
        self._write_receipts(batch, None, status, sent_at)
        self.stats.count_delivered(len(batch))
        self._refusals.note_accepted()

    def _reject(self, refusal: Refusal) -> None:
        self._write_receipts(refusal.event, refusal.reason, refusal.http_status, refusal.sent_at)
        self.stats.count_rejected(refusal.reason)

    def _write_receipts(self, batch: Batch, reason: str | None, status: int, sent_at: datetime) -> None:
        self._ledger.write_receipts(
            self._cursor(),
            batch,
            reason=reason,
            http_status=status,
            sent_at=sent_at,
            acknowledged_at=datetime.now(UTC),
        )

    def _part(self, batch: Batch, indices: Sequence[int]) -> Batch:
        keys = [batch.keys[i] for i in indices]
        return batch.part(self._batch_id(batch.batch_class, keys), indices)

    def _batch_id(self, batch_class: int, keys: Sequence[tuple[str, str]]) -> str:
        """Derive a batch's id: an idempotency key, the same when the batch is sent again because it is in doubt.

        The names are part of it, since a page view and a purchase may have the same id, and so is the class: of two
        events in doubt and not in doubt, it is the same.
        """
        parts = (self._destination_id, str(batch_class % EVENT_CLASSES), *map(" ".join, keys))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]

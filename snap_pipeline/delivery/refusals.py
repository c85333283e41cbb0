"""Refused events, held back until it is proven that the events are at fault and not the destination.

If a destination refuses everything (a pixel of another account, say), rejecting would give up events that go through
once it is configured right. So nothing is rejected before the destination has accepted something in this run: one of
its events, or, failing that, a test event.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from snap_pipeline.capi.answers import Answer, Category
from snap_pipeline.delivery.dispatch_outcome import DestinationStopped
from snap_pipeline.delivery.ledger import Batch

UNPROVEN_REFUSALS = 16
"""The number of refused events that are held back before a test event is sent: enough that one good event among bad
ones is usually found first, and few enough that a destination which refuses everything costs few requests."""
REFUSED_REQUESTS = 1_000
"""Refused requests of a run after which the destination stops: finding every event of a bad hour by halving would take
two requests an event."""


@dataclass(frozen=True)
class Refusal:
    """An event that Snap refused.

    Attributes:
        event: as a batch of one.
        reason: Snap's message.
        http_status: of the answer.
        sent_at: the time of its first request.
    """

    event: Batch
    reason: str
    http_status: int
    sent_at: datetime


class Refusals:
    """The refusals of one run; safe to use from several threads.

    Args:
        send_test_event: sends an event that is not counted, and that a healthy destination accepts.
        reject: writes the receipt of a rejected event.
    """

    def __init__(self, send_test_event: Callable[[], Answer], reject: Callable[[Refusal], None]) -> None:
        self._send_test_event, self._reject = send_test_event, reject
        self._lock = threading.RLock()
        self._is_proven = False
        self._held: list[Refusal] = []
        self._requests = 0

    def count_request(self, answer: Answer) -> None:
        """Count a refused request, whichever of its events are at fault.

        Raises:
            DestinationStopped: too many were refused in this run.
        """
        with self._lock:
            self._requests += 1
            if self._requests > REFUSED_REQUESTS:
                raise DestinationStopped(answer, f"More than {REFUSED_REQUESTS:,} requests of this run were refused:")

    def add(self, refusals: Sequence[Refusal]) -> None:
        """Reject events at once if the destination has accepted something in this run, and hold them back otherwise.

        Raises:
            DestinationStopped: it refuses a test event too, so nothing was rejected.
        """
        with self._lock:
            self._held.extend(refusals)
            if not self._is_proven and len(self._held) >= UNPROVEN_REFUSALS:
                self._prove()
            if self._is_proven:
                self._release()

    def note_accepted(self) -> None:
        """Reject the events that were held back, since the destination accepted one of this run."""
        with self._lock:
            self._is_proven = True
            self._release()

    def conclude(self) -> None:
        """Decide on the events that are still held back at the end of the run.

        Raises:
            DestinationStopped: the destination refuses a test event too, so nothing was rejected.
        """
        with self._lock:
            if self._held and not self._is_proven:
                self._prove()
            self._release()

    def _prove(self) -> None:
        answer = self._send_test_event()
        if answer.category is not Category.ACCEPTED:
            self._held.clear()
            raise DestinationStopped(answer, "Every event was refused, and so was a test event:")
        self._is_proven = True

    def _release(self) -> None:
        for refusal in self._held:
            self._reject(refusal)
        self._held.clear()

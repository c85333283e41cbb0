"""Refused events, held back until it is certain that they are to blame and not the destination.

Where a destination refuses everything (a pixel of another account, say), rejecting would give up events that go
through once it is set right. So nothing is rejected before the destination has accepted something in this run: an event
of it, or, where none was, a test event.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from snap_pipeline.capi.answers import Answer, Category
from snap_pipeline.delivery.dispatch_outcome import DestinationStopped
from snap_pipeline.delivery.ledger import Batch

UNPROVEN_REFUSALS = 16
"""Refused events that are held back before a test event is sent: enough that one good event among bad ones is usually
found first, and few enough that a destination which refuses everything costs few requests."""
REFUSED_REQUESTS = 1_000
"""Requests of a run that may be refused before the rest stays pending. An hour of nothing but bad events would take two
requests an event."""


@dataclass(frozen=True)
class Refusal:
    """An event that Snap refused.

    Attributes:
        event: as a batch of one.
        reason: in Snap's words.
        http_status: of the answer.
        sent_at: when the request was sent first.
    """

    event: Batch
    reason: str
    http_status: int
    sent_at: datetime


class Refusals:
    """The refusals of one run; safe to use from several threads.

    Args:
        send_test_event: sends an event that counts nothing, and that a healthy destination accepts.
        reject: writes down that an event is rejected.
    """

    def __init__(self, send_test_event: Callable[[], Answer], reject: Callable[[Refusal], None]) -> None:
        self._send_test_event, self._reject = send_test_event, reject
        self._lock = threading.RLock()
        self._is_proven = False
        self._held: list[Refusal] = []
        self._requests = 0

    def count_request(self, answer: Answer) -> None:
        """Count a request that was refused, whichever of its events are to blame.

        Raises:
            DestinationStopped: too many were refused in this run.
        """
        with self._lock:
            self._requests += 1
            if self._requests > REFUSED_REQUESTS:
                raise DestinationStopped(answer, f"{REFUSED_REQUESTS} requests of this run were refused:")

    def add(self, refusals: Sequence[Refusal]) -> None:
        """Reject events at once where the destination has accepted something, and otherwise hold them back.

        Raises:
            DestinationStopped: it accepts not even a test event, so nothing was rejected.
        """
        with self._lock:
            self._held.extend(refusals)
            if not self._is_proven and len(self._held) >= UNPROVEN_REFUSALS:
                self._prove()
            if self._is_proven:
                self._release()

    def note_accepted(self) -> None:
        """Reject what was held back: the destination accepted an event of this run."""
        with self._lock:
            self._is_proven = True
            self._release()

    def conclude(self) -> None:
        """Decide on what is still held back at the end of the run.

        Raises:
            DestinationStopped: the destination accepts not even a test event, so nothing was rejected.
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

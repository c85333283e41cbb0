"""The outcome of one run for one destination and hour: its counts, and why it stopped."""

import threading
from collections import Counter
from dataclasses import dataclass, field

from snap_pipeline.capi.answers import Action, Answer, Category
from snap_pipeline.errors import PipelineError


class DestinationStopped(PipelineError):
    """The run sends nothing more to this destination; events that were not settled stay pending or in doubt."""

    def __init__(self, answer: Answer, why: str) -> None:
        super().__init__(f"{why} {answer.explanation}".strip())
        self.answer = answer

    @property
    def is_for_the_user(self) -> bool:
        """True if the user must fix something before another run can succeed."""
        return self.answer.rule.action is Action.STOP


@dataclass
class DispatchStats:
    """Counts of one run for one destination and hour; its methods may be called from several threads."""

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
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def count_request(self, answer: Answer, attempt: int, waited: float) -> None:
        """Count an HTTP request.

        Args:
            answer: to the request.
            attempt: its number within the batch, from 1.
            waited: seconds for which the rate limit held it back.
        """
        with self._lock:
            self.requests += 1
            self.retries += attempt > 1
            self.waited_ms += waited * 1000
            self.categories[answer.category] += 1
            if answer.latency_ms is not None and answer.http_status is not None:
                self.latencies_ms.append(answer.latency_ms)
            if answer.category is not Category.ACCEPTED:
                self.last_error, self.last_failure = answer.explanation, answer

    def count_delivered(self, events: int) -> None:
        """Count events that Snap accepted."""
        with self._lock:
            self.delivered += events

    def count_rejected(self, reason: str) -> None:
        """Count a rejected event and its reason."""
        with self._lock:
            self.rejected += 1
            self.reasons[reason] += 1
            self.last_error = reason

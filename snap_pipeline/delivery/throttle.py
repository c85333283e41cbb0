"""The throttle: after an HTTP 429 everything on the access token waits, ever longer, until a request goes through."""

import threading
from time import monotonic

from snap_pipeline.capi.answers import Answer
from snap_pipeline.capi.session import ApiSession
from snap_pipeline.delivery.dispatch_outcome import DestinationStopped


class Throttle:
    """Slows one run down where Snap asks for it; safe to use from several threads.

    Args:
        session: the destination's access to Snap, which makes all processes on the token wait.
    """

    def __init__(self, session: ApiSession) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._since: float | None = None
        self._times = 0

    def slow_down(self, answer: Answer) -> None:
        """Make everything on the token wait: the pause of the answer's rule, or as long as the answer asks for.

        Args:
            answer: whose rule says to slow down.

        Raises:
            DestinationStopped: the rule's patience went by without a request that went through.
        """
        retry = answer.rule.retry
        with self._lock:
            now = monotonic()
            self._since = self._since or now
            if now - self._since > retry.patience_seconds:
                minutes = f"{retry.patience_seconds / 60:g} minutes"
                raise DestinationStopped(answer, f"{minutes} went by in which Snap took nothing:")
            self._times += 1
            seconds = max(answer.retry_after or 0.0, retry.pauses.seconds(self._times))
        self._session.slow_down(seconds)

    def end(self) -> None:
        """Begin with the shortest pause again, since a request went through."""
        with self._lock:
            self._since, self._times = None, 0

"""The throttle: after an HTTP 429 all requests with the access token wait, ever longer, until one goes through."""

import threading
from time import monotonic

from snap_pipeline.capi.answers import Answer
from snap_pipeline.capi.session import ApiSession
from snap_pipeline.delivery.dispatch_outcome import DestinationStopped


class Throttle:
    """The throttle of one run; safe to use from several threads.

    Args:
        session: the destination's access to Snap, which makes all processes with the token wait.
    """

    def __init__(self, session: ApiSession) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._since: float | None = None
        self._times = 0

    def slow_down(self, answer: Answer) -> None:
        """Pause all requests with the token: by the answer's rule, or as long as the answer asks for.

        Args:
            answer: an HTTP 429.

        Raises:
            DestinationStopped: no request went through within the rule's patience.
        """
        retry = answer.rule.retry
        with self._lock:
            now = monotonic()
            self._since = self._since or now
            if now - self._since > retry.patience_seconds:
                minutes = f"{retry.patience_seconds / 60:g} minutes"
                raise DestinationStopped(answer, f"Snap throttled every request for {minutes}:")
            self._times += 1
            seconds = max(answer.retry_after or 0.0, retry.pauses.seconds(self._times))
        self._session.slow_down(seconds)

    def end(self) -> None:
        """Reset the pause to the shortest, since a request went through."""
        with self._lock:
            self._since, self._times = None, 0

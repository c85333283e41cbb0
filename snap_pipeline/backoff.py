"""Exponential back-off, and the list of all retry layers of the system. Read it before adding another retry.

From the inside out, each layer for failures that the one before it cannot fix:

1.  A request whose answer leaves its events in doubt or pending (5xx, a broken connection): the same batch goes again
    a few times within seconds (`capi/answers.py` has the rule of each answer, `delivery/batch_attempt.py` follows it).
2.  HTTP 429: everything on the access token waits, in all processes, and the batch goes again until the patience of
    the rule is over (`delivery/throttle.py`, `capi/rate_limit.py`).
3.  Several batches in a row without success: the destination stops for the run, and events that were not settled stay
    pending or in doubt (`delivery/batch_sender.py`).
4.  A step of Dagster that failed for a reason that may pass, twice, after 20 s and 60 s
    (`orchestration/assets/dispatched_batches.py`); not where a credential or an address is wrong.
5.  A run whose process died: Dagster starts it again, twice at most (`run_retries` of `deploy/dagster.yaml`). A step
    that failed by itself is not tried again there, since layer 7 does that.
6.  A destination that stopped is left alone for 5, 10, 20, 40, then 60 minutes, whichever hour is due
    (`destinations/run_results.py`), or until the user changes something of it.
7.  The sensor `reconcile` asks for each hour that is not delivered, or whose files were not read, until it is: at once,
    then after 5, 10, 20, 40, then 60 minutes (`orchestration/reconcile_sensor.py`). This is the net under all others.

Beside delivery, each on its own:

-   A line to the alerts' webhook: three attempts within seconds where it was certainly not taken, then the next tick of
    the sensor `alerts` (`orchestration/alerts/`).
-   The state database: SQLite waits 30 s for another writer (`state/database.py`), a pooled connection of Postgres that
    died is replaced before it is used. A run waits 90 s for a lease that another one holds, since its holder may have
    died (`delivery/leases.py`).
-   Reading files while another run compacts them: five attempts without a pause (`delivery/ledger.py`).

The HTTP client itself never retries (`exchange.py`): it cannot know whether a request may go twice.
"""

from dataclasses import dataclass
from datetime import timedelta

MAXIMUM_DOUBLINGS = 30
"""More doublings than any pause needs, and few enough for a float and a timedelta."""


@dataclass(frozen=True)
class BackOff:
    """Exponential back-off: pauses in seconds, each twice as long as the one before.

    Attributes:
        first: the first pause.
        longest: no pause is longer.
    """

    first: float
    longest: float

    def seconds(self, attempts: int) -> float:
        """Return the pause after so many attempts, from 1."""
        return min(self.first * 2.0 ** min(attempts - 1, MAXIMUM_DOUBLINGS), self.longest)

    def delay(self, attempts: int) -> timedelta:
        """Return the pause after so many attempts, from 1, as a duration."""
        return timedelta(seconds=self.seconds(attempts))


BETWEEN_RUNS = BackOff(first=5 * 60.0, longest=60 * 60.0)
"""Pauses before another run retries a destination that stopped, or an hour that was not delivered: an outage of minutes
delays nothing by an hour, and one of days costs one run an hour."""

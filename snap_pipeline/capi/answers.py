"""The error catalogue: from an answer of Snap's to what happens, and to what the user does about it.

One table, `CATALOGUE`, serves the delivery engine, the command line, Dagster's failures and metadata, and the
page docs/errors.md. What Snap does not document (snap-api.md, sections 10 and 12) is decided here: a refused
request has taken none of its events, unless the answer speaks of single records as v2 does.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from snap_pipeline.backoff import BackOff


class Action(StrEnum):
    """What the delivery engine does after an answer."""

    DELIVER = "deliver"
    HALVE = "halve"
    SLOW_DOWN = "slow down"
    RETRY = "retry"
    STOP = "stop"


class Category(StrEnum):
    """The kinds of answers, as they stand in `delivery_requests`."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    TOO_LARGE = "too_large"
    THROTTLED = "throttled"
    SERVER_ERROR = "server_error"
    UNREADABLE_ANSWER = "unreadable_answer"
    NO_ANSWER = "no_answer"
    NO_CONNECTION = "no_connection"


@dataclass(frozen=True)
class RetryRule:
    """How a request is tried again within a run. All layers of retries are listed in `backoff.py`.

    Attributes:
        pauses: before each retry, at least.
        retries: how many there are at most.
        patience_seconds: how long it goes on without a success.
    """

    pauses: BackOff
    retries: float = math.inf
    patience_seconds: float = math.inf


NOT_RETRIED = RetryRule(BackOff(0.0, 0.0), retries=0)
TRIED_AGAIN = RetryRule(BackOff(0.5, 2.0), retries=3)
"""For what passes within seconds, such as the restart of a server: 3.5 s in all, so that a batch holds up no other."""
SLOWED_DOWN = RetryRule(BackOff(1.0, 60.0), patience_seconds=600.0)
"""Snap's window is not documented: a minute is the longest that rate limits usually count over, and ten of them
without a success are no matter of rate any more."""


@dataclass(frozen=True)
class Rule:
    """One row of the catalogue.

    Attributes:
        when: the answer in words.
        action: what the engine does.
        nothing_taken: whether the answer proves that Snap took none of the events.
        remedy: what the user does, in the imperative.
        retry: how the request is tried again.
    """

    when: str
    action: Action
    nothing_taken: bool
    remedy: str
    retry: RetryRule = NOT_RETRIED


CATALOGUE: Mapping[Category, Rule] = {
    Category.ACCEPTED: Rule("2xx with status VALID (v3) or SUCCESS (v2)", Action.DELIVER, False, "Nothing to do."),
    Category.REFUSED: Rule(
        "400, another 4xx, or a 2xx that carries INVALID",
        Action.HALVE,
        True,
        "Where every event is refused, compare the Pixel ID, and the Snap App ID, with Events Manager: they must be "
        "UUIDs of this token's ad account. Where single events are, `snap-pipeline trace` has the reason of each.",
    ),
    Category.UNAUTHORIZED: Rule(
        "401",
        Action.STOP,
        True,
        "The access token is invalid, expired or of another organization: regenerate the Conversions API token in "
        "Ads Manager (Business Details), then run `snap-pipeline destination rotate-token`.",
    ),
    Category.FORBIDDEN: Rule(
        "403",
        Action.STOP,
        True,
        "The token lacks permission for this account's events (or the OAuth scope): have an organization admin make "
        "a Conversions API token, then run `snap-pipeline destination rotate-token`.",
    ),
    Category.NOT_FOUND: Rule(
        "404, 405 or a redirect",
        Action.STOP,
        True,
        "The base URL or an asset id is wrong: compare `snap-pipeline destination show` with Events Manager and "
        "correct it with `destination set`.",
    ),
    Category.TOO_LARGE: Rule("413", Action.HALVE, True, "Nothing to do: the batch is sent in smaller parts."),
    Category.THROTTLED: Rule(
        "429",
        Action.SLOW_DOWN,
        True,
        "The account's rate limit is lower than the destination's setting: lower it with `destination set "
        "--requests-per-minute`, or ask Snap to raise the account's limit.",
        SLOWED_DOWN,
    ),
    Category.SERVER_ERROR: Rule(
        "408 or 5xx",
        Action.RETRY,
        False,
        "Snap's servers are in trouble: wait and try again; what is pending is asked for again by itself.",
        TRIED_AGAIN,
    ),
    Category.UNREADABLE_ANSWER: Rule(
        "an answer that is not Snap's: HTML, an empty, endless, broken or unknown body, records that cannot be told",
        Action.RETRY,
        False,
        "Something between this machine and Snap answered in its place: check the base URL and any proxy.",
        TRIED_AGAIN,
    ),
    Category.NO_ANSWER: Rule(
        "no answer within 30 s, or a connection that broke after the request was sent",
        Action.RETRY,
        False,
        "Check the network between this machine and Snap; what is in doubt is sent again under the same ids.",
        TRIED_AGAIN,
    ),
    Category.NO_CONNECTION: Rule(
        "nothing was sent: connection refused, unknown host (DNS), TLS failure, time-out while connecting",
        Action.RETRY,
        True,
        "Check the base URL with `snap-pipeline destination show`; then, on this machine, DNS where the name is not "
        "known, clock and certificates where TLS fails, firewall and proxy where nothing answers.",
        TRIED_AGAIN,
    ),
}


@dataclass(frozen=True)
class Answer:
    """What came back from one request; carries neither URL nor token.

    Attributes:
        category: the row of the catalogue.
        http_status: None where no answer came.
        message: Snap's words, or what went wrong, cut to a line.
        refused: reasons by position (from 0) of the records that the answer names.
        others_taken: whether the records that it does not name were taken.
        retry_after: seconds that the answer asks to wait.
        latency_ms: time to the whole answer.
    """

    category: Category
    http_status: int | None
    message: str
    refused: Mapping[int, str] = field(default_factory=dict)
    others_taken: bool = False
    retry_after: float | None = None
    latency_ms: float | None = None

    @property
    def rule(self) -> Rule:
        """The catalogue's row."""
        return CATALOGUE[self.category]

    @property
    def explanation(self) -> str:
        """What happened and what to do, for people."""
        status = f"HTTP {self.http_status}" if self.http_status else "no answer"
        return f"{status}: {self.message or self.category.value}. {self.rule.remedy}"

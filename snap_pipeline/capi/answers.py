"""The error catalogue: for each kind of answer, the action of the delivery engine and the remedy for the user.

One table, `CATALOGUE`, serves the delivery engine, the command line, Dagster's failures and metadata, and the page
docs/errors.md. Where Snap documents nothing (snap-api.md, sections 10 and 12), this is the assumption: Snap took none
of the events of a refused request, unless the answer names single records as v2 does.
"""

import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from snap_pipeline.backoff import BackOff


class Action(StrEnum):
    """The actions of the delivery engine after an answer."""

    DELIVER = "deliver"
    HALVE = "halve"
    SLOW_DOWN = "slow down"
    RETRY = "retry"
    STOP = "stop"


class Category(StrEnum):
    """The kinds of answers, as `delivery_requests` stores them."""

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
    """The retries of a request within a run. All retry layers are listed in `backoff.py`.

    Attributes:
        pauses: the shortest pauses before each retry.
        retries: the largest number of retries.
        patience_seconds: the time without a success after which the destination stops.
    """

    pauses: BackOff
    retries: float = math.inf
    patience_seconds: float = math.inf


NO_RETRY = RetryRule(BackOff(0.0, 0.0), retries=0)
SHORT_RETRIES = RetryRule(BackOff(0.5, 2.0), retries=3)
"""For failures that pass within seconds, such as the restart of a server: 3.5 s in all, so that a batch holds up no
other."""
THROTTLED_RETRIES = RetryRule(BackOff(1.0, 60.0), patience_seconds=600.0)
"""Snap does not document the window of its rate limit: rate limits rarely count over more than a minute, and ten
minutes without a success have another cause."""


@dataclass(frozen=True)
class Rule:
    """One row of the catalogue.

    Attributes:
        when: the description of the answer.
        action: of the delivery engine.
        nothing_taken: whether the answer proves that Snap took none of the events.
        remedy: advice to the user, in the imperative.
        retry: the retries of the request.
    """

    when: str
    action: Action
    nothing_taken: bool
    remedy: str
    retry: RetryRule = NO_RETRY


CATALOGUE: Mapping[Category, Rule] = {
    Category.ACCEPTED: Rule("2xx with status VALID (v3) or SUCCESS (v2)", Action.DELIVER, False, "Nothing to do."),
    Category.REFUSED: Rule(
        "400, another 4xx, or a 2xx that carries INVALID",
        Action.HALVE,
        True,
        "If every event is refused, compare the Pixel ID, and the Snap App ID, with Events Manager: they must be UUIDs "
        "of this token's ad account. If single events are refused, `snap-pipeline trace` shows the reason of each.",
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
        THROTTLED_RETRIES,
    ),
    Category.SERVER_ERROR: Rule(
        "408 or 5xx",
        Action.RETRY,
        False,
        "Snap's servers have a problem. Wait: the sensor `reconcile`, if it is on, retries the hour; otherwise run "
        "`snap-pipeline materialize` again later.",
        SHORT_RETRIES,
    ),
    Category.UNREADABLE_ANSWER: Rule(
        "an answer that is not Snap's: HTML, an empty, endless, broken or unknown body, unknown records",
        Action.RETRY,
        False,
        "Something between this machine and Snap answered in its place: check the base URL and any proxy.",
        SHORT_RETRIES,
    ),
    Category.NO_ANSWER: Rule(
        "no answer within 30 s, or a connection that broke after the request was sent",
        Action.RETRY,
        False,
        "Check the network between this machine and Snap; events in doubt are sent again under the same ids.",
        SHORT_RETRIES,
    ),
    Category.NO_CONNECTION: Rule(
        "nothing was sent: connection refused, unknown host (DNS), TLS failure, time-out while connecting",
        Action.RETRY,
        True,
        "Check the base URL with `snap-pipeline destination show`; then, on this machine, DNS if the host is unknown, "
        "clock and certificates if TLS fails, firewall and proxy if the connection is refused or times out.",
        SHORT_RETRIES,
    ),
}


DESTINATION_COMMAND = re.compile(r"`((?:snap-pipeline )?destination [a-z-]+)")


def with_destination(text: str, name: str) -> str:
    """Put a destination's name into the commands of a remedy, so that they can be copied."""
    return DESTINATION_COMMAND.sub(lambda command: f"{command[0]} {shlex.quote(name)}", text)


@dataclass(frozen=True)
class Answer:
    """The answer to one request; it has neither URL nor token.

    Attributes:
        category: the row of the catalogue.
        http_status: None if no answer came.
        message: Snap's message, or the failure, as one line.
        refused: reasons by position (from 0) of the records that the answer names.
        others_taken: whether Snap took the records that the answer does not name.
        retry_after: the pause in seconds that the answer asks for.
        latency_ms: the time until the answer was complete.
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
        """The failure and its remedy, for users."""
        status = f"HTTP {self.http_status}" if self.http_status else "no answer"
        return f"{status}: {self.message or self.category.value}. {self.rule.remedy}"

"""The proof that `conversion_payloads` hold no plaintext e-mail or phone. It is looked at before anything is sent.

What makes the payloads hashes and removes; what stands here does not trust it.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from snap_pipeline.errors import PipelineError
from snap_pipeline.hours import format_hour
from snap_pipeline.lake.lake import Lake, literal

DIGESTS = (
    *("em", "ph", "fn", "ln", "ge", "ct", "st", "zp", "country"),
    *("first_name_v2", "last_name_v2", "city_v2"),
    *("hashed_ip_address", "hashed_mobile_ad_id", "hashed_idfv"),
)
"""Columns where only SHA-256 digests belong."""

NOBODYS = ("client_user_agent",)
"""Columns whose e-mail addresses are no person's: crawlers name their operator there."""

NUMBERS = ("event_time", "limited_use", "value", "num_items", "predicted_ltv")
"""Columns whose types hold no text."""


class PlaintextFound(PipelineError):
    """Payloads hold an e-mail address, or something that is no digest where one belongs; nothing is sent of them."""


def plaintext_in(lake: Lake, payloads: Path) -> Mapping[str, int]:
    """The columns of a payload file that hold plaintext, each with the number of events.

    Args:
        lake: whose connection reads the file.
        payloads: a partition of `conversion_payloads`.
    """
    digests, others = ", ".join(map(literal, DIGESTS)), ", ".join((*DIGESTS, *NOBODYS, *NUMBERS))
    looks = [f"select count_if(not is_digest(columns([{digests}])::varchar)) from payloads"]
    # Rows are looked at as a whole first; a blank between two values is in no address.
    rows = f"select count_if(has_email_address(concat_ws(' ', *columns(* exclude ({others}))))) from payloads"
    named = f"select count_if(has_email_address(columns(* exclude ({others}))::varchar)) from payloads"
    found: dict[str, int] = {}
    with lake.connect_with_macros() as connection:
        connection.execute(
            f"create temp view payloads as from read_parquet({literal(payloads)}, hive_partitioning = false)"
        )
        if connection.execute(rows).fetchone() != (0,):
            looks.append(named)
        for query in looks:
            cursor = connection.execute(query)
            names = [column[0] for column in cursor.description or ()]
            events = cursor.fetchall()[0]
            found |= {name: count for name, count in zip(names, events, strict=True) if count}
    return found


def refuse_plaintext(lake: Lake, payloads: Path, hour: datetime) -> None:
    """Holds for a payload file before it is sent from.

    Raises:
        PlaintextFound: with the columns, and nothing of what stands in them.
    """
    found = plaintext_in(lake, payloads)
    if found:
        raise PlaintextFound(f"{format_hour(hour)}: nothing is sent, because {in_words(found)}. {WHAT_TO_DO}")


def in_words(found: Mapping[str, int]) -> str:
    """The finding as a clause."""
    return "plaintext stands in " + ", ".join(f"{column} ({events:,} events)" for column, events in found.items())


WHAT_TO_DO = (
    "Exclude the events by a mapping, or mend the SQL that makes the payloads, and materialize the hour again from "
    "filtered_events on."
)
"""After a finding."""

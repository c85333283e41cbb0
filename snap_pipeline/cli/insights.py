"""How match quality is shown on the command line."""

from collections.abc import Iterable
from datetime import datetime

import click
from rich.table import Table

from snap_pipeline.cli.terminal import print_table
from snap_pipeline.lake import storage
from snap_pipeline.lake.lake import Lake

ADVICE_LINES = 5
NAMES = {"sc_click_id": "click id", "em": "e-mail", "ph": "phone"}
LINKED = """
    select parameter, sum(present - linked) / sum(events), sum(present) / sum(events)
    from {completeness}
    where event_name = 'PURCHASE' and parameter in ('sc_click_id', 'em', 'ph')
    group by parameter
    order by parameter
"""


def print_insights(lake: Lake, hours: Iterable[datetime]) -> None:
    """Prints the scores and the first coaching lines of the marts, and what linking events of a person has added.

    Args:
        lake: holds them.
        hours: over which the linking is summed.
    """
    with lake.connect() as connection:
        scores = connection.execute(
            f"""
            select workspace, event_name, conversion_type, events, score
            from {lake.storage.scan([storage.mart("emq_scores")])}
            order by events desc, workspace, event_name, conversion_type
            """
        ).fetchall()
        advice = connection.execute(
            f"""
            select event_name, conversion_type, parameter, completeness, gain, advice
            from {lake.storage.scan([storage.mart("emq_coaching")])}
            order by event_name != 'PURCHASE', gain desc, parameter
            limit {ADVICE_LINES}
            """
        ).fetchall()
        keys = lake.storage.existing(storage.partition(storage.Table.PARAMETER_COMPLETENESS, hour) for hour in hours)
        completeness = lake.storage.scan(keys, by_name=True)
        linked = connection.execute(LINKED.format(completeness=completeness)).fetchall() if keys else []
    table = Table("workspace", "event", "type", "events", "score", title="Match quality, 0 to 10", title_justify="left")
    for workspace, event_name, conversion_type, events, score in scores:
        table.add_row(workspace, event_name, conversion_type, f"{events:,}", f"{score:.1f}")
    print_table(table, width=100)
    if linked:
        table = Table("purchases with", "on the event", "after linking", title="Identity", title_justify="left")
        for parameter, own, present in linked:
            table.add_row(NAMES[parameter], f"{own:.0%}", f"{present:.0%}")
        print_table(table, width=100)
    click.echo("What to fix first:")
    for event_name, conversion_type, parameter, completeness, gain, text in advice:
        click.echo(f"- {event_name} ({conversion_type}): {parameter} on {completeness:.0%}, +{gain:.1f}. {text}")

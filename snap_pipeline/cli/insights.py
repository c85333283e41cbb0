"""Match quality on the command line: the output of `insights` after a build."""

import click
from rich.table import Table

from snap_pipeline.cli.terminal import print_table
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import mart

ADVICE_LINES = 5
NAMES = {"sc_click_id": "click id", "em": "e-mail", "ph": "phone"}


def print_insights(lake: Lake) -> None:
    """Print scores, the effect of identity resolution and the first advice, from the marts."""
    with lake.connect() as connection:
        for model in ("report_scores", "report_linking", "report_coaching"):
            connection.execute(f"create view {model} as from {lake.storage.scan([mart(model)])}")
        scores = connection.execute(
            "select workspace, event_name, conversion_type, events, score from report_scores "
            "order by events desc, workspace, event_name, conversion_type"
        ).fetchall()
        linked = connection.execute(
            "select parameter, on_the_event, after_linking from report_linking order by parameter"
        ).fetchall()
        advice = connection.execute(
            "select event_name, conversion_type, parameter, completeness, gain, advice from report_coaching "
            f"order by position limit {ADVICE_LINES}"
        ).fetchall()
    table = Table("workspace", "event", "type", "events", "score", title="Match quality, 0 to 10", title_justify="left")
    for workspace, event_name, conversion_type, events, score in scores:
        table.add_row(workspace, event_name, conversion_type, f"{events:,}", f"{score:.1f}")
    print_table(table, width=100)
    if linked:
        table = Table("purchases with", "on the event", "after linking", title="Identity", title_justify="left")
        for parameter, on_the_event, after_linking in linked:
            table.add_row(NAMES[parameter], f"{on_the_event:.0%}", f"{after_linking:.0%}")
        print_table(table, width=100)
    click.echo("What to fix first:")
    for event_name, conversion_type, parameter, completeness, gain, text in advice:
        click.echo(f"- {event_name} ({conversion_type}): {parameter} on {completeness:.0%}, +{gain:.1f}. {text}")

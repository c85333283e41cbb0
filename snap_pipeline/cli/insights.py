"""Match quality on the command line: the output of `insights` after a build."""

import click
from rich.table import Table

from snap_pipeline.cli.terminal import print_table
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import mart
from snap_pipeline.report.labels import PARAMETERS, conversion_types
from snap_pipeline.report.numbers import gain, percent, points

ADVICE_LINES = 5


def print_insights(lake: Lake) -> None:
    """Print scores, the effect of identity resolution and the first advice, from the marts."""
    with lake.connect() as connection:
        for model in ("report_scores", "report_linking", "report_next_steps", "report_snap_answers"):
            connection.execute(f"create view {model} as from {lake.storage.scan([mart(model)])}")
        scores = connection.execute(
            "select workspace, event_name, conversion_type, events, score, snap_score from report_scores "
            "order by events desc, workspace, event_name, conversion_type"
        ).fetchall()
        linked = connection.execute(
            "select parameter, on_the_event, after_linking from report_linking order by parameter"
        ).fetchall()
        steps = connection.execute(
            "select workspace, parameter, conversion_types, event_name, completeness, target, average_gain, advice "
            f"from report_next_steps order by position, workspace limit {ADVICE_LINES}"
        ).fetchall()
        without_scores = connection.execute(
            "select destination, asset, message from report_snap_answers where not has_scores order by all"
        ).fetchall()
    for destination, asset, message in without_scores:
        click.echo(f"{destination} ({asset.replace('_', ' ')}): {message}")
    if not scores:
        click.echo(
            "There were no conversions in the last seven days, so there is nothing to score yet. `snap-pipeline land` "
            "brings events in, and `snap-pipeline materialize` makes conversions of them."
        )
        return
    table = Table("workspace", "event", "type", "events", "score", title="Match quality, 0 to 10", title_justify="left")
    has_snap_scores = any(snap_score is not None for *_, snap_score in scores)
    if has_snap_scores:
        table.add_column("Snap's own score")
    for workspace, event_name, conversion_type, events, score, snap_score in scores:
        snap = [points(snap_score)] if has_snap_scores else []
        table.add_row(workspace, event_name, conversion_type, f"{events:,}", f"{score:.1f}", *snap)
    print_table(table, width=100)
    if linked:
        table = Table("purchases with", "on the event", "after linking", title="Identity", title_justify="left")
        for parameter, on_the_event, after_linking in linked:
            table.add_row(PARAMETERS[parameter], f"{on_the_event:.0%}", f"{after_linking:.0%}")
        print_table(table, width=100)
    if not steps:
        click.echo("No event has ten conversions and a parameter below its target, so there is nothing to fix first.")
        return
    click.echo("What to do first, by the points that an average conversion would gain:")
    for number, (workspace, parameter, types, event_name, completeness, target, gained, advice) in enumerate(steps, 1):
        where = f"{workspace}: " if len({row[0] for row in scores}) > 1 else ""
        click.echo(
            f"{number}. {where}{PARAMETERS[parameter]} ({conversion_types(types)}), {gain(gained)}: on "
            f"{percent(completeness)} of {event_name}, target {percent(target)}. {advice}"
        )

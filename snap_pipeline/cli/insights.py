"""How match quality is shown on the command line."""

import click
from rich.console import Console
from rich.table import Table

from snap_pipeline.lake.lake import Lake, literal

ADVICE_LINES = 5


def print_insights(lake: Lake) -> None:
    """Prints the scores and the first coaching lines of the marts."""
    with lake.connect() as connection:
        scores = connection.execute(
            f"""
            select workspace, event_name, conversion_type, events, score
            from read_parquet({literal(lake.root / "emq_scores" / "data.parquet")})
            order by events desc, workspace, event_name, conversion_type
            """
        ).fetchall()
        advice = connection.execute(
            f"""
            select event_name, conversion_type, parameter, completeness, gain, advice
            from read_parquet({literal(lake.root / "emq_coaching" / "data.parquet")})
            order by event_name != 'PURCHASE', gain desc, parameter
            limit {ADVICE_LINES}
            """
        ).fetchall()
    table = Table("workspace", "event", "type", "events", "score", title="Match quality, 0 to 10", title_justify="left")
    for workspace, event_name, conversion_type, events, score in scores:
        table.add_row(workspace, event_name, conversion_type, f"{events:,}", f"{score:.1f}")
    Console(width=100).print(table)
    click.echo("What to fix first:")
    for event_name, conversion_type, parameter, completeness, gain, text in advice:
        click.echo(f"- {event_name} ({conversion_type}): {parameter} on {completeness:.0%}, +{gain:.1f}. {text}")

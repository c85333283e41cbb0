"""The `snap-pipeline` command, one module per group of verbs.

A command loads the settings, calls the pipeline and prints the result. Errors that the user can fix go to standard
error without a traceback, with exit status 1; bad usage has exit status 2.
"""

import sys
from importlib import import_module
from typing import NamedTuple

import click

from snap_pipeline.errors import InvalidValue, PipelineError


class Verb(NamedTuple):
    """A command: its module, and its line in the list of commands."""

    module: str
    help: str


COMMANDS = {
    "land": Verb("snap_pipeline.cli.land", "Put events from JSON, CSV or spreadsheets into their hours."),
    "materialize": Verb("snap_pipeline.cli.run", "Run the hourly job over a range of hours, and deliver."),
    "insights": Verb("snap_pipeline.cli.run", "Rebuild the marts, and print scores and what to fix."),
    "dev": Verb("snap_pipeline.cli.run", "Open the Dagster UI on this home's data, or the demo's."),
    "status": Verb("snap_pipeline.cli.inspect", "Account for every landed line, by destination."),
    "trace": Verb("snap_pipeline.cli.inspect", "Follow one event from its file to its receipt."),
    "preview": Verb("snap_pipeline.cli.inspect", "Show the JSON that would be sent, of an hour or an event."),
    "sql": Verb("snap_pipeline.cli.sql", "Query the lake's tables and marts with DuckDB SQL."),
    "report": Verb("snap_pipeline.cli.report", "Write match quality, health and accounting as one page."),
    "collect": Verb("snap_pipeline.cli.collect", "Take events of client libraries over HTTP."),
    "source": Verb("snap_pipeline.cli.source", "Add, list and remove those who may post events."),
    "destination": Verb("snap_pipeline.cli.destination", "Add, list, change, test, pause and remove destinations."),
    "prune": Verb("snap_pipeline.cli.prune", "Delete files that are older than the retention."),
    "forget": Verb("snap_pipeline.cli.forget", "Forget a person: empty and exclude their events."),
    "rotate-key": Verb("snap_pipeline.cli.keys", "Encrypt every stored access token under a new key."),
    "sandbox": Verb("snap_pipeline.sandbox.command", "Run a local stand-in for Snap's servers."),
    "demo": Verb("snap_pipeline.cli.demo", "Run the whole pipeline on sample traffic."),
}
"""All commands, in the order in which a user meets them. Modules are imported on use, since Dagster takes seconds."""


class LazyGroup(click.Group):
    """A command group that imports commands on use, and prints the project's errors without a traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as the base calls it
        """Import and return the command of a name."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[cmd_name].module), cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)  # noqa: S101 - COMMANDS is ours
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Write the list of commands. Click would import them all, and cut their help at the end of the line."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, verb.help) for name, verb in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except PipelineError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(2 if isinstance(error, InvalidValue) else 1)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="snap_pipeline")
def main() -> None:
    """Deliver a site's events to the Snapchat Conversions API, each counted once."""

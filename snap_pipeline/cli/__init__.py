"""The `snap-pipeline` command, one module a group of verbs.

A command loads settings, calls the inside and prints. Errors that the user can mend go to standard error without
a traceback and end with status 1; bad usage ends with 2.
"""

import sys
from importlib import import_module

import click

from snap_pipeline.errors import InvalidValue, PipelineError

COMMANDS = {
    "land": "snap_pipeline.cli.land",
    "materialize": "snap_pipeline.cli.run",
    "insights": "snap_pipeline.cli.run",
    "dev": "snap_pipeline.cli.run",
    "status": "snap_pipeline.cli.inspect",
    "trace": "snap_pipeline.cli.inspect",
    "preview": "snap_pipeline.cli.inspect",
    "sql": "snap_pipeline.cli.sql",
    "report": "snap_pipeline.cli.report",
    "destination": "snap_pipeline.cli.destination",
    "prune": "snap_pipeline.cli.prune",
    "forget": "snap_pipeline.cli.forget",
    "rotate-key": "snap_pipeline.cli.keys",
    "sandbox": "snap_pipeline.sandbox.command",
    "demo": "snap_pipeline.cli.demo",
}
"""Where each command lives. A module is imported when its command runs: Dagster takes long to import."""


class LazyGroup(click.Group):
    """Finds commands in `COMMANDS`, and prints errors of the project plainly."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The commands in the order in which a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as the base calls it
        """The command of a name."""
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[cmd_name]), cmd_name.replace("-", "_"))
        assert isinstance(command, click.Command)  # noqa: S101 - COMMANDS is ours
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Runs a command."""
        try:
            return super().invoke(ctx)
        except PipelineError as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(2 if isinstance(error, InvalidValue) else 1)


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="snap_pipeline")
def main() -> None:
    """Deliver a site's events to the Snapchat Conversions API, each counted once."""

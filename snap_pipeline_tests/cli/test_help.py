"""The lists of commands on a terminal of 80 columns."""

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from snap_pipeline.cli import main


@pytest.mark.parametrize("group", [[], ["destination"]])
def test_each_command_has_one_line_that_is_not_cut(group: list[str]) -> None:
    shown = CliRunner().invoke(main, [*group, "--help"], terminal_width=80)
    commands = shown.output.partition("Commands:\n")[2].splitlines()
    command = main.get_command(click.Context(main), "destination") if group else main
    assert isinstance(command, click.Group)
    assert [line.split()[0] for line in commands] == command.list_commands(click.Context(command))
    assert not [line for line in commands if line.endswith("...") or len(line) > 80]


def test_the_list_of_commands_does_not_wait_for_dagster() -> None:
    script = "import sys; from snap_pipeline.cli import main; main(['--help'], standalone_mode=False); "
    subprocess.run([sys.executable, "-c", script + "sys.exit('dagster' in sys.modules)"], check=True)

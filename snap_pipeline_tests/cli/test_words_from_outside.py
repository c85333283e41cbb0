"""Texts from Snap, events and users: printed as they are, without markup or control characters."""

import json
from typing import Any

import pytest

from snap_pipeline_tests.hostile_server import hostile_server
from snap_pipeline_tests.project import HOUR, Project, key, purchase

RANGE = ("--from", key(HOUR), "--to", key(HOUR))
REASONS = ("[/data/0/custom_data] is unknown", "[bold red]stop[/] :smile:", "{x} %s %(y)s \\[z]", "[link=http://a]b")


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_of_snaps_is_printed_as_it_is(run: Any, project: Project, reason: str) -> None:
    def refuse_the_bad(connection: Any) -> None:
        events = json.loads(connection.body)["data"]
        places = [place for place, event in enumerate(events) if event["event_id"] == "bad"]
        body = {"status": "INVALID", "reason": reason, "event": places[0] + 1} if places else {"status": "VALID"}
        connection.reply("400 Bad" if places else "200 OK", json.dumps(body).encode())

    with hostile_server(refuse_the_bad) as server:
        project.add_destination(base_url=server.url)
        project.land(purchase("good"), purchase("bad", event_name="[/b] :smile:"))
        made = run("materialize", *RANGE)
    for result in (made, run("status"), run("trace", "bad"), run("destination", "list")):
        assert result.exit_code == 0, result.output
    for result in (made, run("status"), run("trace", "bad")):
        assert reason in result.output


def test_a_reason_with_what_no_file_takes_reaches_every_table(run: Any, project: Project) -> None:
    """A lone surrogate, a NUL and an escape sequence in the reason of a stop and of a rejection."""
    body = json.dumps({"status": "INVALID", "reason": "bad \ud800 \x00 \x1b[31m"}).encode()
    with hostile_server(lambda connection: connection.reply("403 No", body)) as server:
        project.add_destination(base_url=server.url)
        project.land(purchase("e"))
        assert run("materialize", *RANGE).exit_code == 1
    shown = run("destination", "show", "shop")
    assert shown.exit_code == 0
    assert "HTTP 403: bad [31m." in shown.output
    assert json.loads(run("status", "--json").stdout)

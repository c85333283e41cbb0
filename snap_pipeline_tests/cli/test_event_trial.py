"""`snap-pipeline destination test --event`: one event of the user's, as it would be sent, and Snap's answer."""

import json
from pathlib import Path
from typing import Any

from snap_pipeline_tests.project import Project, purchase


def test_an_event_is_mapped_hashed_validated_and_shown(run: Any, project: Project, tmp_path: Path) -> None:
    project.add_destination(live=False)
    file = tmp_path / "event.json"
    file.write_text(json.dumps(purchase("mine", event_name="Order Completed")))
    result = run("destination", "test", "shop", "--event", str(file))
    assert result.exit_code == 0, result.output
    shown, verdict = result.stdout.splitlines()
    assert (json.loads(shown)["event_id"], json.loads(shown)["event_name"]) == ("mine", "PURCHASE")
    assert "mine@example.com" not in shown
    assert verdict == "Snap would accept this event. Nothing was counted."
    assert [each["path"].split("/", 3)[-1] for each in project.requests_seen("")] == ["events/validate"]
    assert project.received() == []
    assert not project.pipeline.landing.hours()


def test_an_event_that_would_not_be_sent_says_why(run: Any, project: Project, tmp_path: Path) -> None:
    project.add_destination()
    file = tmp_path / "event.json"
    for event, words in (
        (purchase("a", event_name="identify"), "no conversion: excluded: internal"),
        (purchase("b", email=None), "would not be sent to shop: undeliverable insufficient_identifiers"),
    ):
        file.write_text(json.dumps(event))
        result = run("destination", "test", "shop", "--event", str(file))
        assert result.exit_code == 1
        assert words in result.stderr
    file.write_text(f"{json.dumps(purchase('a'))}\n{json.dumps(purchase('b'))}\n")
    assert (
        "must hold exactly one event. It holds 2 lines"
        in run("destination", "test", "shop", "--event", str(file)).stderr
    )
    assert project.requests_seen("") == []

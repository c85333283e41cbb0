"""`forget`: no trace of the person stays, the accounting balances, and later events are excluded at once."""

import gzip
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import Result

from snap_pipeline.delivery.accounting import unaccounted
from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.transform import Transformations
from snap_pipeline_tests.conftest import make_project
from snap_pipeline_tests.identity.stories import ANN, ANNS_PHONE, BOB, digest
from snap_pipeline_tests.project import HOUR, Project, key, purchase

LAST = HOUR + 2 * ONE_HOUR
Run = Callable[..., Result]

ANNS = [
    {"event_name": "page_view", "event_id": "click", "anonymous_id": "anns-phone",
     "page_url": "https://shop.example.com/?ScCid=anns-click"},
    {"type": "identify", "messageId": "identify", "anonymousId": "anns-phone", "userId": "ann-7",
     "traits": {"email": ANN, "phone": ANNS_PHONE, "firstName": "Annabelle"}},
    {"event_name": "purchase", "event_id": "order", "user_id": "ann-7", "properties": {"value": 1, "currency": "EUR"}},
    {"event_name": "view_item", "event_id": "on-the-tablet", "anonymous_id": "tablet", "user_id": "ann-7"},
    {"event_name": "view_item", "event_id": "still-on-the-tablet", "anonymous_id": "tablet"},
]  # fmt: skip
OTHERS = [
    {"event_name": "purchase", "event_id": "bobs", "user_id": "bob-8", "email": BOB, "anonymous_id": "tablet",
     "properties": {"value": 1, "currency": "EUR"}},
]  # fmt: skip
TRACES = ("ann-7", "anns-phone", "anns-click", "nnabelle", ANN, ANNS_PHONE[1:], digest(ANN), digest(ANNS_PHONE[1:]))
"""Everything that Ann could be recognized by."""


@pytest.fixture(scope="module")
def made_shop(tmp_path_factory: pytest.TempPathFactory, sandbox_url: str) -> Project:
    """Three hours, in which Ann and Bob share a tablet."""
    project = make_project(tmp_path_factory.mktemp("shop") / "home", sandbox_url)
    project.add_destination()
    browser = {"ip_address": "192.0.2.9", "user_agent": "Mozilla/5.0 (X11)", "context": {"ip": "192.0.2.9"}}
    for number, event in enumerate(ANNS):
        moment = HOUR + number * ONE_HOUR / 4
        told = browser | {"event_timestamp": moment.isoformat(), "timestamp": moment.isoformat()} | event
        project.land(told, "{ no JSON", hour=HOUR + (number % 2) * ONE_HOUR, name=f"{number}")
    project.land(browser | {"event_timestamp": LAST.isoformat()} | OTHERS[0], hour=LAST)
    assert project.materialize(HOUR, LAST).success
    return project


@pytest.fixture
def shop(project: Project, made_shop: Project) -> Project:
    """A copy of those three hours."""
    return project.copy_home(made_shop)


def test_a_dry_run_names_hours_and_files_and_changes_nothing(shop: Project, run: Run) -> None:
    before = lake_text(shop), landing_text(shop)
    said = run("forget", "--email", ANN, "--dry-run").output
    assert f"to make again: {key(HOUR)}, {key(HOUR + ONE_HOUR)}" in said
    assert "Nothing was changed" in said
    assert (lake_text(shop), landing_text(shop)) == before
    assert not (shop.settings.lake / "tombstones").exists()
    done = run("forget", "--email", ANN).output
    assert done.split(" hours made again")[0] == said.split(" hours to make again")[0]
    assert done.count("Still holds the person: ") == said.count("Holds the person: ") > 0


def lake_text(project: Project) -> str:
    """Return all values of all tables as text."""
    files = [str(file) for file in project.pipeline.lake.storage.path("").rglob("*.parquet")]
    with project.pipeline.lake.connect() as connection:
        return "\n".join(str(connection.execute(f"from read_parquet('{file}')").fetchall()) for file in files)


def landing_text(project: Project) -> str:
    files = [file for file in project.pipeline.landing._root.rglob("*") if file.is_file()]
    return "\n".join((gzip.open(file) if file.suffix == ".gz" else file.open("rb")).read().decode() for file in files)


def traces(text: str) -> list[str]:
    return [trace for trace in TRACES if trace in text]


@pytest.mark.parametrize(
    "asked",
    [["--email", f" {ANN.upper()} "], ["--phone", "0044 7700 900001"], ["--user-id", "ann-7"],
     ["--anonymous-id", "anns-phone"]],
)  # fmt: skip
def test_no_table_keeps_the_person_and_the_accounting_holds(shop: Project, run: Run, asked: list[str]) -> None:
    assert traces(lake_text(shop)) == list(TRACES)
    said = run("forget", *asked)
    assert said.exit_code == 0
    assert traces(lake_text(shop)) == []
    assert traces(said.output) == []
    counts = shop.counts(HOUR, LAST)
    assert counts["excluded: forgotten"] == 4
    assert counts["withdrawn"] == 3
    assert unaccounted(shop.entries(HOUR, LAST)) == []
    assert digest(BOB) in lake_text(shop)
    # What the shared tablet did after her is hers no more, and stays.
    (tablet,) = (row for row in shop.rows("conversion_payloads") if row["event_id"] == "still-on-the-tablet")
    assert tablet["em"] is None


def test_landing_files_are_listed_and_rewritten_on_request(shop: Project, run: Run) -> None:
    listed = run("forget", "--email", ANN).output
    assert listed.count("Still holds the person: default/") == 4
    assert len(traces(landing_text(shop))) > 4
    lines = landing_text(shop).count("\n")
    rewritten = run("forget", "--email", ANN, "--landing").output
    assert rewritten.count("Rewritten: default/") == 4
    assert traces(landing_text(shop)) == []
    assert landing_text(shop).count("\n") == lines
    assert shop.counts(HOUR, LAST)["excluded: forgotten"] == 4
    assert shop.counts(HOUR, LAST)["quarantined"] == 5
    assert "Still" not in run("forget", "--email", ANN, "--landing").output
    assert shop.materialize(HOUR, LAST).success
    assert traces(lake_text(shop)) == []


@pytest.mark.parametrize("option", ["--user-id", "--anonymous-id"])
def test_an_id_that_stands_for_nobody_forgets_nobody(run: Run, option: str) -> None:
    refused = run("forget", option, "Guest")
    assert refused.exit_code == 1
    assert "not a valid" in refused.stderr


def test_what_lands_later_is_excluded(shop: Project, run: Run) -> None:
    run("forget", "--email", ANN)
    late = {"event_name": "purchase", "event_id": "late", "user_id": "ann-7", "event_timestamp": HOUR.isoformat(),
            "email": ANN, "properties": {"value": 5, "currency": "EUR"}}  # fmt: skip
    shop.land_bytes(gzip.compress(json.dumps(late).encode()), "late.ndjson.gz")
    assert shop.materialize().success
    assert traces(lake_text(shop)) == []
    assert "late" not in {event["event_id"] for event in shop.received()}
    assert "late.ndjson.gz" in run("forget", "--email", ANN, "--landing").output
    assert traces(landing_text(shop)) == []


def test_what_was_attached_to_another_s_conversion_goes_as_well(project: Project, run: Run) -> None:
    """A guest's address at a device of which only somebody else was ever recognized."""
    browser = {"ip_address": "192.0.2.9", "user_agent": "Mozilla/5.0 (X11)", "anonymous_id": "kiosk"}
    guest = {"event_name": "begin_checkout", "event_id": "guest", "email": ANN, "event_timestamp": HOUR.isoformat()}
    later = HOUR + ONE_HOUR
    owner = {"event_name": "login", "event_id": "owner", "user_id": "bob", "event_timestamp": later.isoformat()}
    project.land(browser | guest)
    project.land(browser | owner, hour=later)
    assert project.materialize(HOUR, later).success
    assert project.rows("conversion_payloads", hour=later)[0]["em"] == [digest(ANN)]
    run("forget", "--email", ANN)
    assert digest(ANN) not in lake_text(project)


def test_an_interrupted_request_goes_on(shop: Project, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[datetime] = []

    make = Transformations.make_identity_links

    def stops_in_the_second_hour(self: Transformations, hour: datetime) -> int:
        made.append(hour)
        if len(made) == 2:
            raise KeyboardInterrupt
        return make(self, hour)

    with monkeypatch.context() as patch:
        patch.setattr(Transformations, "make_identity_links", stops_in_the_second_hour)
        run("forget", "--email", ANN)
    assert traces(lake_text(shop)) != []
    said = run("forget", "--email", ANN)
    assert f"{key(HOUR + ONE_HOUR)}" in said.output
    assert traces(lake_text(shop)) == []
    assert run("forget", "--email", ANN).output.startswith("0 hours made again")


def test_ids_that_lead_to_one_another_are_followed_to_the_end(project: Project, run: Run) -> None:
    moment = {"event_timestamp": HOUR.isoformat(), "ip_address": "192.0.2.9", "user_agent": "Mozilla/5.0 (X11)"}
    project.land(
        moment | {"event_name": "login", "event_id": "1", "user_id": "ann-7", "email": ANN},
        moment | {"event_name": "view_item", "event_id": "2", "user_id": "ann-7", "external_id": "crm-7"},
        moment | {"event_name": "view_item", "event_id": "3", "external_id": "crm-7"},
        moment | {"type": "alias", "event_id": "4", "previous_id": "anns-old-id", "user_id": "ann-7"},
        moment | {"event_name": "view_item", "event_id": "5", "user_id": "anns-old-id", "anonymous_id": "anns-phone"},
        moment | {"event_name": "view_item", "event_id": "6", "anonymous_id": "anns-phone"},
        moment | {"event_name": "view_item", "event_id": "7", "user_id": "bob-8"},
    )
    assert project.materialize().success
    run("forget", "--email", ANN)
    assert [row["event_id"] for row in project.rows("conversion_payloads")] == ["7"]
    text = lake_text(project)
    assert [trace for trace in ("crm-7", "anns-old-id", *TRACES) if trace in text] == []


@pytest.mark.parametrize("asked", ["91234567", "+47 912 34 567", "0047 91234567"])
def test_a_phone_number_is_recognized_with_and_without_its_country(project: Project, run: Run, asked: str) -> None:
    (project.settings.home / "workspaces.toml").write_text('[default]\ndefault_calling_code = "47"\n')
    project.reopen()
    project.land(purchase("1", phone="+47 912 34 567"), purchase("2", phone="91234567"), purchase("3"))
    assert project.materialize().success
    run("forget", "--phone", asked)
    assert [row["event_id"] for row in project.rows("conversion_payloads")] == ["3"]


def test_links_that_were_made_before_their_hour_s_events_forget_as_well(project: Project, run: Run) -> None:
    earlier = HOUR - 5 * ONE_HOUR
    project.land(
        {"type": "identify", "anonymousId": "a", "userId": "ann-7", "traits": {"email": ANN},
         "timestamp": earlier.isoformat()}, hour=earlier,
    )  # fmt: skip
    project.land(purchase("p", email=None, anonymous_id="a"))
    assert project.materialize().success
    assert digest(ANN) in lake_text(project)
    run("forget", "--email", ANN)
    assert digest(ANN) not in lake_text(project)
    assert project.materialize(earlier, HOUR).success
    assert traces(lake_text(project)) == []


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("suffix", ["ndjson", "ndjson.gz"])
def test_only_the_person_s_lines_of_a_file_are_rewritten(project: Project, run: Run, end: str, suffix: str) -> None:
    hers, his = json.dumps(purchase("hers", email=ANN)), json.dumps(purchase("his", email=BOB))
    lines = ["", "{ no JSON", his, "  ", "", hers, "[1]", his.replace('"his"', '"his-too"'), hers.replace("hers", "h2")]
    content = end.join(lines).encode()
    file = project.land_bytes(gzip.compress(content) if suffix.endswith("gz") else content, f"mixed.{suffix}")
    assert project.materialize().success
    assert "Rewritten" in run("forget", "--email", ANN, "--landing").output
    after = (gzip.decompress(file.read_bytes()) if suffix.endswith("gz") else file.read_bytes()).decode().split(end)
    assert [line for number, line in enumerate(after) if number not in (5, 8)][:7] == [
        line for number, line in enumerate(lines) if number not in (5, 8)
    ]
    assert ANN not in "".join(after)
    assert project.counts()["excluded: forgotten"] == 2


def test_a_file_whose_lines_end_in_another_way_keeps_everybody_else(project: Project, run: Run) -> None:
    hers, his = json.dumps(purchase("hers", email=ANN)), json.dumps(purchase("his", email=BOB))
    file = project.land_bytes(f"{his}\r{his}\n{hers}\n{his}\n{{ no".encode(), "old-mac.ndjson")
    assert project.materialize().success
    run("forget", "--email", ANN, "--landing")
    assert file.read_text().count(BOB) == 3


LAYOUTS = ("list", "concatenated", "body", "indented", "utf-16", "utf-16-below", "cp1252", "damaged.gz")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_whose_events_are_no_lines_stays_as_it_is_and_is_listed(project: Project, run: Run, layout: str) -> None:
    hers, his = (json.dumps(purchase(name, email=email)) for name, email in {"hers": ANN, "his": BOB}.items())
    content = {
        "list": f"[{hers},{his}]".encode(),
        "concatenated": f"{hers}{his}".encode(),
        "body": f'{{"batch":[{hers},{his}]}}'.encode(),
        "indented": json.dumps([json.loads(hers), json.loads(his)], indent=2).encode(),
        "utf-16": f"{hers}\n{his}\n".encode("utf-16"),
        "utf-16-below": f"{his}\n{hers}\n".encode("utf-16"),
        "cp1252": f'{hers}\n{his.replace("{", """{"city": "Köln", """, 1)}\n'.encode("cp1252"),
        "damaged.gz": gzip.compress(f"{hers}\n{his}\n".encode()) + b"damage",
    }[layout]
    file = project.land_bytes(content, f"events-{layout}")
    project.land(purchase("h2", email=ANN), name="rewritten")
    assert project.materialize().success
    told = run("forget", "--email", ANN, "--landing")
    assert told.exit_code == 0, told.output
    assert f"Still holds the person: default/2026-11-20T12/events-{layout}" in told.output
    assert "Rewritten: default/2026-11-20T12/rewritten.ndjson" in told.output
    assert "These files cannot be rewritten" in told.output
    assert file.read_bytes() == content
    assert [row["event_id"] for row in project.rows("conversion_payloads")] == ["his"]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ([], 2, "Name the person"),
        (["--email", "nobody"], 1, "not a valid email"),
        (["--phone", "n/a"], 1, "not a valid phone"),
    ],
)
def test_a_request_that_names_nobody_is_refused(
    project: Project, run: Run, arguments: list[str], status: int, words: str
) -> None:
    said = run("forget", *arguments)
    assert said.exit_code == status
    assert words in said.output


def test_a_request_for_somebody_who_was_never_seen_changes_nothing(shop: Project, run: Run) -> None:
    before = {file: file.stat().st_mtime_ns for file in Path(shop.pipeline.lake.storage.path("")).rglob("*.parquet")}
    assert run("forget", "--email", "stranger@example.com").output.startswith("0 hours made again")
    assert {
        file: file.stat().st_mtime_ns for file in Path(shop.pipeline.lake.storage.path("")).rglob("*.parquet")
    } == before

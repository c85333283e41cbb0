"""`snap-pipeline sql` on a small lake: with an argument, through a pipe, and at a prompt."""

import csv
import io
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from snap_pipeline.cli import main
from snap_pipeline.lake.views import LakeViews
from snap_pipeline_tests.dbt import lakes
from snap_pipeline_tests.processes import started
from snap_pipeline_tests.project import Project

Run = Callable[..., Result]


@pytest.fixture
def lake(project: Project, run: Run) -> Path:
    """The lake of the home in which `run` runs."""
    lakes.write_small_lake(project.settings.lake)
    return project.settings.lake


def rows(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.output
    return list(csv.reader(io.StringIO(result.stdout)))


def test_every_table_is_a_view_with_its_hour_and_destination(lake: Path, run: Run) -> None:
    assert [name for (name,) in rows(run("sql", "--csv", "show tables"))[1:]] == sorted(lakes.TABLES)
    query = "select distinct hour, destination from delivery_receipts"
    assert rows(run("sql", "--csv", query)) == [["hour", "destination"], ["2026-03-02T22", "d1"]]
    assert rows(run("sql", "--csv", "select count(distinct hour) from parameter_completeness"))[1] == ["6"]


def test_a_result_is_a_table(lake: Path, run: Run) -> None:
    result = run("sql", "select name, state from destinations order by name")
    assert result.exit_code == 0
    assert "│ Main pixel │ live    │" in result.stdout


def test_hours_that_were_made_with_other_columns_are_read_together(lake: Path, run: Run) -> None:
    older = lake / "delivery_receipts/hour=2026-03-01T00/destination=d2/data.parquet"
    lakes.write(older, "select 'e0' as event_id, 'delivered' as outcome")
    query = "select event_id, destination, reason from delivery_receipts where hour < '2026-03-02T00'"
    assert rows(run("sql", "--csv", query))[1:] == [["e0", "d2", ""]]


def test_a_table_is_not_read_before_a_query_names_it(lake: Path, run: Run) -> None:
    (lake / "delivery_receipts/hour=2026-03-01T00").mkdir()
    (lake / "delivery_receipts/hour=2026-03-01T00/data.parquet").write_text("broken")
    assert run("sql", "show tables").exit_code == 0
    assert run("sql", "from destinations").exit_code == 0
    assert run("sql", "from delivery_receipts").exit_code == 1


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("selec 1", 'syntax error at or near "selec"'),
        ("from raw_events", "The lake has views on: accounting_entries, delivery_receipts,"),
        ("select nothing from destinations", '"nothing" not found'),
        ("insert into destinations values (1)", "destinations is not an table"),
    ],
)
def test_an_error_is_a_message(lake: Path, run: Run, query: str, message: str) -> None:
    result = run("sql", query)
    assert result.exit_code == 1
    assert message in result.stderr
    assert "Traceback" not in result.output


def test_a_lake_without_tables_can_be_asked_too(run: Run) -> None:
    assert rows(run("sql", "--csv", "select 1 as one")) == [["one"], ["1"]]
    assert "The lake has views on: nothing yet." in run("sql", "from raw_events").stderr


def test_a_file_that_is_folded_away_meanwhile_hides_no_other_hour(
    lake: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    define, once = LakeViews._define, iter([True])

    def define_late(views: LakeViews, name: str, pattern: str) -> None:
        if "*" in pattern and next(once, False):
            raise duckdb.IOException("No such file or directory")
        define(views, name, pattern)

    monkeypatch.setattr(LakeViews, "_define", define_late)
    assert rows(run("sql", "--csv", "select count(distinct hour) from parameter_completeness"))[1] == ["6"]


def test_the_newest_file_may_be_folded_away_while_it_is_opened(
    lake: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (older, newer) = sorted(lake.glob("delivery_receipts/*/*/*.parquet"))
    newer.rename(newer.with_name("0.parquet"))
    define = LakeViews._define

    def define_late(views: LakeViews, name: str, pattern: str) -> None:
        if name == "delivery_receipts":
            newer.with_name("0.parquet").unlink(missing_ok=True)
        define(views, name, pattern)

    monkeypatch.setattr(LakeViews, "_define", define_late)
    assert rows(run("sql", "--csv", "select count(*) from delivery_receipts"))[1] == ["3"]
    assert older.exists()


def test_only_what_gives_rows_is_printed(lake: Path, run: Run) -> None:
    script = "begin; prepare asked as select 1 as one; commit; execute asked"
    assert rows(run("sql", "--csv", script)) == [["one"], ["1"]]


def test_a_plan_is_printed_as_it_is_drawn(lake: Path, run: Run) -> None:
    drawn = run("sql", "explain from destinations").stdout.splitlines()
    assert len(drawn) > 5
    assert not any("explain_value" in line or "\\n" in line for line in drawn)


def test_a_reader_that_has_seen_enough_is_no_error(lake: Path) -> None:
    command = [str(Path(sys.executable).with_name("snap-pipeline")), "sql", "--csv", "from range(1_000_000)"]
    with started(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"SNAP_PIPELINE_LAKE": str(lake)},
        text=True,
    ) as process:
        assert process.stdout and process.stderr
        assert process.stdout.readline() == "range\n"
        process.stdout.close()
        assert process.stderr.read() == ""


def test_queries_come_through_a_pipe(lake: Path, run: Run) -> None:
    piped = CliRunner().invoke(main, ["sql", "--csv"], input="select 1 as a;\nselect count(*) as b from destinations;")
    assert rows(piped) == [["a"], ["1"], ["b"], ["2"]]


WITHIN = "{lake}/forged.csv"
REFUSED = [
    "from read_text('/etc/passwd')",
    "from read_blob('/etc/passwd')",
    "from read_csv('/etc/passwd')",
    "from read_json('/etc/passwd')",
    "from sniff_csv('/etc/passwd')",
    "from glob('/etc/*')",
    "from read_text('{home}/secret.key')",
    "from read_text('{lake}/../secret.key')",
    "from read_blob('{home}/state.db')",
    "from read_duckdb('{home}/state.db')",
    "from read_text('{home}/landing/default/2026-11-20T12/*')",
    "from read_csv('https://shop.example/events.csv')",
    "from read_parquet('s3://bucket/events.parquet')",
    "create table stolen as from read_text('/etc/passwd')",
    "attach '{home}/state.db' (type sqlite)",
    "attach '{lake}/forged.db'",
    "copy (select 1) to '/tmp/forged.csv'",
    f"copy (select 1) to '{WITHIN}'",
    f"COPY destinations TO '{WITHIN}'",
    f"copy (pivot destinations on name) to '{WITHIN}'",
    f"explain analyze copy (select 1) to '{WITHIN}'",
    f"explain /* */ (analyze) -- copy\n copy (select 1) to '{WITHIN}'",
    f"prepare writing as copy (select 1) to '{WITHIN}'",
    f"with forged as (copy destinations to '{WITHIN}') from forged",
    f"create view forged as with a as (copy destinations to '{WITHIN}') from a",
    f"from json_execute_serialized_sql(json_serialize_sql('with a as (c'||'opy destinations to ''{WITHIN}'') from a'))",
    "from system.main.\"JSON_execute_serialized_sql\"/**/(json_serialize_sql('with a as (copy t to ''x'') from a'))",
    "from query('from destinations')",
    "export database '{lake}/forged'",
    "import database '{lake}'",
    "install httpfs",
    "load httpfs",
    "load '{lake}/forged.duckdb_extension'",
    "update extensions",
    "set enable_external_access = true",
    "set allowed_directories = ['/']",
    "set threads = 1",
    "reset lock_configuration",
    "set profiling_output = '{lake}/forged.json'",
    "pragma enable_profiling",
    "call enable_logging(storage = 'file', storage_path = '{lake}/forged')",
    "select getenv('HOME')",
    "create persistent secret forged (type http, bearer_token 'x')",
    "from lake",
]


def test_a_query_reads_the_lake_alone_and_writes_nothing(lake: Path, project: Project, run: Run) -> None:
    project.land({"event_id": "a-secret-event"})
    project.add_destination()
    home = project.settings.home.absolute()
    assert rows(run("sql", "--csv", "select count(*) from destinations"))
    before = contents(home)
    for query in REFUSED:
        result = run("sql", "--csv", query.format(lake=lake, home=home))
        assert (result.exit_code, result.stdout) == (1, ""), query
        assert result.stderr.startswith("Error: ")
        assert "Traceback" not in result.output
        assert contents(home) == before, query


def contents(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_what_would_write_is_refused_with_what_to_do_instead(lake: Path, run: Run) -> None:
    for query in (f"copy destinations to '{lake}/copy.csv'", "from read_text('/etc/passwd')"):
        assert "reads the lake and nothing else on this host" in run("sql", query).stderr


def test_names_and_texts_with_the_same_words_are_no_matter(lake: Path, run: Run) -> None:
    query = """
        create temp table attach as select 'copy' as "copy", 1 as query, 2 as export;
        insert into attach values ('Copy Coupon', 3, 4);
        select query, (query) as "query" from attach -- copy
        order by query;
    """
    assert rows(run("sql", "--csv", query))[-3:] == [["query", "query"], ["1", "1"], ["3", "3"]]


def test_a_lake_that_is_named_in_a_roundabout_way_can_be_asked(
    lake: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    (lake.parent / "link").symlink_to(lake)
    for spelled in (lake / ".." / "lake", lake.parent / "link", Path(f"{lake}/")):
        monkeypatch.setenv("SNAP_PIPELINE_LAKE", str(spelled))
        assert rows(run("sql", "--csv", "select count(*) from destinations"))[1:] == [["2"]]


def test_a_prompt_takes_queries_over_several_lines_and_survives_a_bad_one(lake: Path, run: Run) -> None:
    terminal, its_end = pty.openpty()
    command = [str(Path(sys.executable).with_name("snap-pipeline")), "sql"]
    environment = os.environ | {"SNAP_PIPELINE_LAKE": str(lake), "TERM": "dumb"}
    with started(command, stdin=its_end, stdout=its_end, stderr=its_end, env=environment) as process:
        os.close(its_end)
        screen = Screen(terminal)
        for typed, answer in (
            (b"", "sql> "),
            (b"select count(*) as destinations\n", "...> "),
            (b"from destinations;\n", "│            2 │"),
            (b"bad;\n", 'syntax error at or near "bad"'),
            (b"from read_text('/etc/passwd');\n", "reads the lake and nothing else on this host"),
            (b"copy destinations to '/tmp/forged.csv';\n", "reads the lake and nothing else on this host"),
            (b"select 40 + 2 as answer;\n", "│     42 │"),
        ):
            os.write(terminal, typed)
            screen.wait_for(answer)
        screen.wait_for("sql> ")
        os.write(terminal, b"\x04")
    os.close(terminal)
    assert process.returncode == 0


class Screen:
    """A terminal's output, read up to one text after another."""

    def __init__(self, terminal: int) -> None:
        self._terminal, self._unread = terminal, b""

    def wait_for(self, text: str) -> None:
        """Read up to the end of a text, and keep the rest for the next call."""
        while text.encode() not in self._unread:
            self._unread += os.read(self._terminal, 4096)
        self._unread = self._unread.partition(text.encode())[2]

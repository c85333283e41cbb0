"""`snap-pipeline land`: the hours that events land in, and messages about unreadable lines."""

import gzip
import json
from datetime import datetime
from pathlib import Path

import pytest

from snap_pipeline.hours import ONE_HOUR
from snap_pipeline.lake.raw import make_raw_events
from snap_pipeline.lake.text_files import MAXIMUM_LINE_BYTES
from snap_pipeline_tests.lake.spreadsheets import write_xlsx
from snap_pipeline_tests.project import HOUR, NOW, Project, ids, key, purchase


def test_land_puts_events_into_their_own_hours_and_says_what_it_cannot_read(
    run, project: Project, tmp_path: Path
) -> None:
    file = tmp_path / "events.ndjson"
    lines = [
        purchase("a"),
        purchase("b", at=HOUR + ONE_HOUR),
        purchase("ahead", at=NOW + 2 * ONE_HOUR),
        {"event_name": "x"},
    ]
    file.write_bytes("\n".join(map(json.dumps, lines)).encode() + b"\nno json\n\xff\xfe\n")
    result = run("land", str(file))
    assert result.exit_code == 0
    assert "6 lines landed in 3 hours" in result.stdout
    assert "2 cannot be read" in result.stdout
    landing = project.pipeline.landing
    running = b"".join(
        (landing._root / f.source_file).read_bytes() for f in landing.listing(project.settings.running_hour)
    )
    assert running.count(b"\n") == 4
    assert b"\xff\xfe" in running


def test_lines_that_cannot_be_read_land_with_an_origin_too(run, project: Project, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join([json.dumps(purchase("a")), *["no json"] * 3, json.dumps(purchase("b")), "{}"]))
    result = run("land", str(file), "--origin", "csv")
    assert result.exit_code == 0, result.output
    assert "6 lines landed" in result.stdout
    assert "3 cannot be read" in result.stdout


@pytest.mark.parametrize("suffix", ["json", "ndjson"])
def test_land_says_of_a_line_that_is_too_long_what_becomes_of_it(
    run, project: Project, tmp_path: Path, suffix: str
) -> None:
    file = tmp_path / f"events.{suffix}"
    lines = [json.dumps(purchase("a")), json.dumps(purchase("long", note="x" * MAXIMUM_LINE_BYTES))]
    file.write_text(f"[{','.join(lines)}]" if suffix == "json" else "\n".join(lines))
    result = run("land", str(file), "--hour", key(HOUR))
    assert "2 lines landed" in result.stdout
    assert "1 cannot be read" in result.stdout
    project.materialize()
    assert [row["event_id"] for row in project.rows("raw_events")] == ["a"]
    assert [row["reason"] for row in project.rows("quarantined_lines")] == ["line_too_long"]


@pytest.mark.parametrize("suffix", ["json", "ndjson.gz", "csv"])
def test_land_takes_arrays_gzip_and_csv(run, project: Project, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"orders.{suffix}"
    events = [purchase("a"), purchase("b")]
    if suffix == "json":
        file.write_text(json.dumps(events, indent=2))
    elif suffix == "csv":
        file.write_text(
            "event_id,event_name,event_timestamp,email,value,currency,item_ids\n"
            + "".join(f"{e['event_id']},purchase,{e['event_timestamp']},x@example.com,10,EUR,1;2\n" for e in events)
        )
    else:
        file.write_bytes(gzip.compress("\n".join(map(json.dumps, events)).encode()))
    assert run("land", str(file), "--origin", "csv").exit_code == 0
    project.add_destination()
    assert project.materialize().success
    received = project.received()
    assert ids(received) == ["a", "b"]
    assert {event["action_source"] for event in received} == {"OFFLINE"}


SHEET = [
    ["Order ID", "First Name", "E-mail", "ZIP", "Order Total", "Currency", "Order Date", "Event", "Shelf"],
    ["o-1", "Zoë", "a@example.com", 1067, 49.9, "EUR", datetime(2026, 11, 20, 12), "purchase", "A1"],
    [None] * 9,
    ["o-2", "Ann", "b@example.com", "01067", 50, "EUR", "2026-11-20T13:00:00Z", "purchase", None],
]


@pytest.mark.parametrize("suffix", ["csv", "CSV", "tsv", "txt", "Txt.GZ", "xlsx", "XLSX"])
def test_tables_land_whatever_their_columns_are_called(run, project: Project, tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"orders.{suffix}"
    if suffix.lower() == "xlsx":
        write_xlsx(file, {"Orders": SHEET, "Notes": [["Stock is low"]], "Empty": []})
    else:
        delimiter = "\t" if suffix == "tsv" else ";"
        content = "".join(delimiter.join("" if cell is None else str(cell) for cell in row) + "\r\n" for row in SHEET)
        content = content.replace(delimiter * 8 + "\r\n", "\r\n")
        file.write_bytes(gzip.compress(content.encode()) if suffix.endswith("GZ") else content.encode())
    result = run("land", str(file), "--origin", "csv", "--hour", key(HOUR))
    assert result.exit_code == 0, result.output
    assert f"orders.{suffix}: 2 lines landed" in result.stdout
    assert 'no event has these columns, so they are not read: "Shelf"' in result.stderr
    assert ('have no header of event fields: "Notes"' in result.stderr) == (suffix.lower() == "xlsx")
    make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)
    columns = "order_id, first_name, emails[1] as email, zip, value, currency, event_time::varchar as at, event_name"
    # A fraction of a spreadsheet is a number, whose point is no thousands mark.
    fraction = "49.9" if suffix.lower() == "xlsx" else '"49.9"'
    assert [tuple(row.values()) for row in project.rows("raw_events", f"select {columns} from {{table}}")] == [
        ("o-1", "Zoë", "a@example.com", "1067", fraction, "EUR", "2026-11-20 12:00:00", "purchase"),
        ("o-2", "Ann", "b@example.com", "01067", '"50"', "EUR", "2026-11-20 13:00:00", "purchase"),
    ]


def test_a_spreadsheet_that_cannot_be_read_says_what_to_do(run, project: Project, tmp_path: Path) -> None:
    (tmp_path / "damaged.xlsx").write_bytes(b"PK\x03\x04 no spreadsheet")
    write_xlsx(tmp_path / "notes.xlsx", {"Notes": [["Stock is low"]]})
    (tmp_path / "right.csv").write_bytes(HEADER + b"".join(ROWS))
    result = run("land", *(str(tmp_path / name) for name in ("damaged.xlsx", "notes.xlsx", "right.csv")))
    assert result.exit_code == 1
    assert "damaged.xlsx was not landed: it is no spreadsheet that can be read" in result.stderr
    assert "notes.xlsx was not landed, since no column of its sheets is one that events have." in result.stderr
    assert "right.csv: 5 lines landed" in result.stdout


def test_the_name_of_a_person_in_a_table_is_not_the_name_of_an_event(run, project: Project, tmp_path: Path) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("Name,Email,Value\nAnn Example,ann@example.com,5\n")
    result = run("land", str(file), "--hour", key(HOUR))
    assert 'they are not read: "Name"' in result.stderr
    make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)
    assert [(row["event_name"], row["emails"]) for row in project.rows("raw_events")] == [(None, ["ann@example.com"])]


@pytest.mark.parametrize("layout", ["concatenated", "list", "body", "utf-16", "pretty"])
def test_land_takes_json_in_any_layout(run, project: Project, tmp_path: Path, layout: str) -> None:
    file = tmp_path / "events.json"
    events = [purchase("a"), purchase("b", at=HOUR + ONE_HOUR)]
    texts = [json.dumps(event) for event in events]
    content = {
        "concatenated": "".join(texts) + "{broken",
        "list": f"[{','.join(texts)}, 7]",
        "body": json.dumps({"batch": [*events, 7], "context": {"ip": "198.51.100.7"}}),
        "utf-16": "\n".join([*texts, "broken"]),
        "pretty": "\n".join([*(json.dumps(event, indent=2) for event in events), "broken"]),
    }[layout]
    file.write_bytes(content.encode("utf-16" if layout == "utf-16" else "utf-8"))
    result = run("land", str(file))
    assert result.exit_code == 0, result.output
    assert "3 lines landed in 3 hours" in result.stdout
    assert "1 cannot be read" in result.stdout
    assert ("read as UTF-16" in result.stdout) == (layout == "utf-16")
    for hour, event_id in {HOUR: "a", HOUR + ONE_HOUR: "b"}.items():
        make_raw_events(project.pipeline.lake, project.pipeline.landing, hour)
        assert [row["event_id"] for row in project.rows("raw_events", hour=hour)] == [event_id]


@pytest.mark.parametrize("name", ["events.ndjson.gz", "orders.csv.gz"])
def test_land_takes_what_is_before_the_damage_of_a_compressed_file(
    run, project: Project, tmp_path: Path, name: str
) -> None:
    """A row without its end may have lost a part of its last value."""
    lines = [json.dumps(purchase(event_id)) for event_id in "ab"]
    content = "\n".join(lines).encode() if "ndjson" in name else HEADER + ROWS[0] + ROWS[1] + b"r2,purchase,,49,EU"
    file = tmp_path / name
    file.write_bytes(gzip.compress(content) + b"damage")
    result = run("land", str(file), "--hour", key(HOUR))
    bad = 1 if "ndjson" in name else 2
    assert f"{2 + bad} lines landed" in result.stdout
    assert f"{bad} cannot be read" in result.stdout
    assert make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR).rows == 2
    reasons = [row["reason"] for row in project.rows("quarantined_lines", "from {table} order by reason")]
    assert reasons == ["damaged_gzip", "malformed_json"][:bad]


@pytest.mark.parametrize("suffix", ["csv", "csv.gz"])
@pytest.mark.parametrize("line_break", [b"\n", b"\r\n"])
@pytest.mark.parametrize(
    ("refused", "landed"),
    [
        (b"r2,purchase,c@d.de,5,EUR,EXTRA", b"r2,purchase,c@d.de,5,EUR,EXTRA"),
        (b"r2,purchase", b"r2,purchase"),
        (b'r2,purchase,"c@d.de\n",5,EUR,EXTRA', b'r2,purchase,"c@d.de\\n",5,EUR,EXTRA'),
        (b'r2,purchase,"c@d.de\n\xff",5,EUR', b'r2,purchase,"c@d.de\\n\xff",5,EUR'),
        (b"r2,purchase,c@d.de,5,EUR," + "ä".encode() * 9_000, b"r2,purchase,c@d.de,5,EUR," + "ä".encode() * 9_000),
    ],
    ids=["too many columns", "too few columns", "line break in quotes", "no UTF-8", "longer than DuckDB reports"],
)
def test_a_csv_row_that_cannot_be_read_lands_as_it_is_behind_a_line_break_in_quotes(
    run, project: Project, tmp_path: Path, refused: bytes, landed: bytes, line_break: bytes, suffix: str
) -> None:
    file = tmp_path / f"orders.{suffix}"
    rows = [b"event_id,event_name,email,value,currency", b'r1,purchase,"a@b.de\n",5,EUR', refused]
    rows += [b"r3,purchase,c@d.de,5,EUR", refused]
    content = b"\n".join([*rows, b""]).replace(b"\n", line_break)
    file.write_bytes(gzip.compress(content) if suffix.endswith("gz") else content)
    result = run("land", str(file), "--hour", key(HOUR))
    assert "4 lines landed in 1 hour (" in result.stdout
    assert "2 cannot be read" in result.stdout
    unreadable = [each for each in project.pipeline.landing.listing(HOUR) if "unreadable" in each.source_file]
    assert [(project.settings.landing / each.source_file).read_bytes() for each in unreadable] == [(landed + b"\n") * 2]


HEADER = b"event_id,event_name,email,value,currency\n"
ROWS = [f"r{number},purchase,r{number}@example.com,5,EUR\n".encode() for number in range(5)]


@pytest.mark.parametrize(
    ("content", "rows", "unreadable"),
    [
        (HEADER + b"".join(ROWS).replace(b"\n", b"\r\n", 1).replace(b"EUR\n", b"EUR\r", 1), 5, 0),
        ((HEADER + b"".join(ROWS)).replace(b"\n", b"\r"), 5, 0),
        (b"\xef\xbb\xbf\n\n" + HEADER + b"\n" + b"\n".join(ROWS), 5, 0),
        ((HEADER + b"".join(ROWS)).replace(b",", b";"), 5, 0),
        ((HEADER + b"".join(ROWS)).replace(b",", b"\t"), 5, 0),
        (HEADER.replace(b"email", b" Email ,,note,note") + b"".join(ROWS).replace(b",5", b",,a,b,5"), 5, 0),
        (HEADER + ROWS[0] + b"r9,purchase,a,5,EUR,x,y,z\n" + b"".join(ROWS[1:]), 6, 1),
        (HEADER + b"".join(ROWS).replace(b"EUR", b"EUR,x"), 5, 5),
        (HEADER + b"".join(ROWS) + b'"r9","pur"chase",,5,EUR\n', 6, 1),
        (HEADER + b"".join(ROWS).replace(b"r1@", b"\0r1\x01@"), 5, 0),
        (HEADER, 0, 0),
        ((HEADER + b"".join(ROWS)).decode().encode("utf-16"), 5, 0),
        (HEADER + b'r9,"purchase,a,5,EUR\n' + b"".join(ROWS), 6, 1),
        (HEADER + b"".join(ROWS) + b'r9,purchase,"a,5,EUR\n', 6, 1),
        (
            HEADER
            + b"".join(ROWS[:2])
            + b'r9,purchase,"a,5,EUR\n'
            + b"".join(ROWS[2:]).replace(b"r4@example.com", b'"r4@e.com"'),
            6,
            1,
        ),
        (HEADER + b"# a comment\n" + b"".join(ROWS), 6, 1),
        (b"Orders of November\n\n" + HEADER + b"".join(ROWS), 6, 1),
        (b"sep=;\n" + (HEADER + b"".join(ROWS)).replace(b",", b";"), 5, 0),
        ((HEADER + b"".join(ROWS)).replace(b",", b", "), 5, 0),
        (b"Event ID,Event-Name,E-mail,VALUE,currencyCode\n" + b"".join(ROWS), 5, 0),
        (HEADER + b"".join(ROWS).replace(b"r2@", b'a "b" <r2@'), 5, 0),
        (HEADER + b"".join(ROWS).replace(b"r2@", "Zo\u00eb <r2@".encode("cp1252")), 5, 0),
    ],
    ids=[
        *("mixed line breaks", "bare carriage returns", "blank lines and a byte order mark", "semicolons", "tabs"),
        *("odd names", "a long row", "long rows alone", "a stray quote", "control bytes", "no rows", "UTF-16"),
        *("an open quote", "an open quote at the end", "an open quote before quotes", "a comment", "a title", "sep="),
        *("blanks after commas", "other spellings", "a quote inside a value", "Windows-1252"),
    ],
)
def test_each_row_of_a_csv_lands_or_is_counted(
    run, project: Project, tmp_path: Path, content: bytes, rows: int, unreadable: int
) -> None:
    file = tmp_path / "orders.csv"
    file.write_bytes(content)
    result = run("land", str(file), "--hour", key(HOUR))
    assert result.exit_code == 0, result.output
    assert f": {rows} lines landed" in result.stdout
    assert (f"{unreadable} cannot be read" in result.stdout) == bool(unreadable)
    make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)
    read = project.rows("raw_events")
    assert {row["event_id"] for row in read} == {f"r{n}" for n in range(rows - unreadable)}
    assert all(row["emails"] for row in read)
    assert len(project.rows("quarantined_lines")) == unreadable


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"".join(ROWS), "Its first line must hold the names of its columns"),
        (b"", "Its first line must hold the names of its columns"),
    ],
    ids=["no header", "empty"],
)
def test_land_says_what_to_mend_in_a_csv_and_lands_the_other_files(
    run, project: Project, tmp_path: Path, content: bytes, message: str
) -> None:
    wrong, right = tmp_path / "wrong.csv", tmp_path / "right.csv"
    wrong.write_bytes(content)
    right.write_bytes(HEADER + b"".join(ROWS))
    result = run("land", str(wrong), str(right), "--hour", key(HOUR))
    assert result.exit_code == 1
    assert f"{wrong} was not landed" in result.stderr
    assert message in result.stderr
    assert "5 lines landed" in result.stdout
    assert [Path(file.source_file).name[:6] for file in project.pipeline.landing.listing(HOUR)] == ["right-"]


def test_a_line_break_or_a_control_byte_of_its_own_kind_costs_no_other_line(
    run, project: Project, tmp_path: Path
) -> None:
    file = tmp_path / "events.ndjson"
    good = [json.dumps(purchase(name)).encode() for name in "abcdef"]
    file.write_bytes(good[0] + b"\r" + good[1] + b"\r\n{}\0\n" + good[2] + b'\n{"a":"\x01"}\r' + b"\n".join(good[3:]))
    result = run("land", str(file))
    assert "8 lines landed" in result.stdout
    assert "; 1 cannot be read and will be quarantined; " in result.stdout
    assert "; 1 NUL byte left out" in result.stdout
    make_raw_events(project.pipeline.lake, project.pipeline.landing, HOUR)
    assert ids(project.rows("raw_events")) == list("abcdef")


def test_land_in_a_given_hour_and_twice_is_the_same_as_once(run, project: Project, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(json.dumps(purchase("a", at=HOUR - ONE_HOUR)))
    for _ in range(2):
        assert run("land", str(file), "--hour", key(HOUR)).exit_code == 0
    assert len(project.pipeline.landing.listing(HOUR)) == 1
    assert project.pipeline.landing.listing(HOUR - ONE_HOUR) == []


def test_land_refuses_an_hour_before_the_first(run, project: Project, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    file.write_text(json.dumps(purchase("a")))
    first = project.settings.first_hour
    refused = run("land", str(file), "--hour", key(first - ONE_HOUR))
    assert refused.exit_code == 2
    assert f"the first hour, {key(first)} (SNAP_PIPELINE_START)" in refused.stderr
    assert not project.pipeline.landing.hours()
    for hour in (first, NOW + 5 * ONE_HOUR):
        assert run("land", str(file), "--hour", key(hour)).exit_code == 0


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        ("Rechnung;Betrag;Kunde\n1;2;3\n", 'Separated by semicolons, they are: "Rechnung", "Betrag", "Kunde".'),
        ("Rechnung Betrag\n1 2\n", 'It seems to have a single column: "Rechnung Betrag".'),
    ],
)
def test_a_table_without_a_known_column_is_refused_with_what_was_seen(
    run, project: Project, tmp_path: Path, content: str, seen: str
) -> None:
    file = tmp_path / "export.csv"
    file.write_text(content)
    result = run("land", str(file))
    assert result.exit_code == 1
    assert seen in result.stderr
    assert "Next:" not in result.stdout
    assert not project.pipeline.landing.hours()


def test_a_spreadsheet_without_a_known_column_is_refused_with_its_columns(run, tmp_path: Path) -> None:
    write_xlsx(tmp_path / "export.xlsx", {"Blatt": [["Rechnung", "Betrag"], ["1", "2"]]})
    result = run("land", str(tmp_path / "export.xlsx"))
    assert result.exit_code == 1
    assert 'The first rows hold: "Rechnung", "Betrag".' in result.stderr


def test_land_counts_times_that_cannot_be_read_and_ends_with_the_next_command(
    run, project: Project, tmp_path: Path
) -> None:
    file = tmp_path / "orders.csv"
    times = [HOUR.isoformat(), (HOUR + ONE_HOUR).isoformat(), "yesterday", ""]
    file.write_text(
        "event_id,event_name,event_timestamp\n" + "".join(f"{n},purchase,{time}\n" for n, time in enumerate(times))
    )
    result = run("land", str(file))
    assert "2 have no time that can be read and will be excluded" in result.stdout
    running = key(project.settings.running_hour)
    assert result.stdout.splitlines()[-1] == f"Next: snap-pipeline materialize --from {key(HOUR)} --to {running}"

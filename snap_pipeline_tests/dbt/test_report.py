"""The report in a real browser: it needs nothing from outside, fits a phone, and says what the marts say."""

import re
import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Literal

import duckdb
import pytest
from click.testing import CliRunner, Result
from playwright.sync_api import Browser, Page, ViewportSize

from snap_pipeline.cli import main
from snap_pipeline_tests.dbt import lakes
from snap_pipeline_tests.dbt.conftest import NOW, Query

Report = Callable[..., Result]
Scheme = Literal["light", "dark"]
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}
HOSTILE = '<img src="https://example.com/x" onerror="document.title=1">'


@pytest.fixture
def report(tmp_path: Path, built: tuple[Path, str], monkeypatch: pytest.MonkeyPatch) -> Report:
    """Runs `snap-pipeline report` on the small lake, or another one."""
    monkeypatch.setenv("SNAP_PIPELINE_HOME", str(tmp_path))
    monkeypatch.setenv("SNAP_PIPELINE_NOW", NOW)
    (tmp_path / "workspaces.toml").write_text("[shop]\n[with_ph]\n[quiet]\n")

    def run(*arguments: str, lake: Path = built[0]) -> Result:
        monkeypatch.setenv("SNAP_PIPELINE_LAKE", str(lake))
        return CliRunner().invoke(main, ["report", "-o", str(tmp_path / "report.html"), *arguments])

    return run


@pytest.fixture
def opened(report: Report, chromium: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Writes a report and opens it; a console message or a request for anything else fails the test."""
    contexts = []
    said: list[str] = []

    def open_page(
        *arguments: str, lake: Path | None = None, scheme: Scheme = "light", size: ViewportSize = DESKTOP
    ) -> Page:
        result = report(*arguments, **({"lake": lake} if lake else {}))
        assert result.exit_code == 0, result.output
        context = chromium.new_context(color_scheme=scheme, viewport=size)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url))
        page.goto((tmp_path / "report.html").as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [each for each in said if each not in ((tmp_path / "report.html").as_uri(), "data:,")] == []


def text_of(page: Page, selector: str) -> str:
    return " ".join(page.locator(selector).all_inner_texts())


def table(page: Page, panel: str, caption: str) -> list[list[str]]:
    """The cells of the rows of the first such table below a heading of the first workspace."""
    rows = page.locator(f"#workspace-1 section:has(> h3:text-is('{panel}')) table:has(caption:text-is('{caption}')) tr")
    return [row.locator("th, td").all_inner_texts() for row in rows.all()[1:]]


def altered(tmp_path: Path, lake: Path, **queries: str) -> Path:
    """A copy of a built lake with marts made anew: each query reads the mart as `mart`."""
    copy = tmp_path / "altered"
    for name in lakes.MARTS:
        shutil.copytree(lake / name, copy / name)
    for name, query in queries.items():
        with duckdb.connect() as connection:
            connection.execute(f"create table mart as from '{copy / name / 'data.parquet'}'")
            connection.execute(f"copy ({query}) to '{copy / name / 'data.parquet'}' (format parquet)")
    return copy


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_needs_nothing_from_outside_and_follows_the_readers_colours(
    opened: Callable[..., Page], scheme: str
) -> None:
    page = opened(scheme=scheme)
    assert page.title() == "Match report, seven days to 3 Mar 2026, 00:00"
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", background)))
    assert (brightness > 600) == (scheme == "light")


def test_it_fits_a_phone(opened: Callable[..., Page]) -> None:
    page = opened(size=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


def test_it_says_the_scores_and_the_coaching_of_the_marts(opened: Callable[..., Page], marts: Query) -> None:
    page = opened("--workspace", "shop")
    events = page.locator(".events > li")
    assert events.count() == 6
    scores = marts("select event_name, score, events from emq_scores where workspace = 'shop'")
    rings = [ring.text_content() or "" for ring in page.locator(".event > summary .ring text").all()]
    assert sorted(rings) == sorted(f"{score:.1f}" for _, score, _ in scores)
    purchase = events.filter(has_text="PURCHASE").filter(has_text="10 conversions")
    assert purchase.locator(".badge").inner_text() == "▲ 4.3"
    assert "commerce 6.8" in purchase.locator("summary").inner_text()
    coaching = marts(
        "select gain, advice from emq_coaching where workspace = 'shop' and event_name = 'PURCHASE'"
        " and conversion_type = 'WEB' order by rank"
    )
    shown = purchase.locator(".advice li")
    assert [p.inner_text() for p in shown.locator("p").all()] == [advice for _, advice in coaching]
    assert [g.inner_text() for g in shown.locator(".gain").all()][:3] == ["+2.5", "+1.9", "+1.5"]
    click_id = purchase.locator(".parameters tr", has_text="Click id").locator("td").all_inner_texts()
    assert click_id[1:] == ["10 %", "30 %", "0 %"]
    email = purchase.locator(".parameters tr", has_text="E-mail").locator("td").all_inner_texts()
    assert email[1] == "60 %\n20 % linked"  # in two hours, one each
    assert "width: 10" in (purchase.locator(".parameters .bar i").first.get_attribute("style") or "")


def test_what_to_do_first_is_what_an_average_conversion_would_gain_most(
    opened: Callable[..., Page], marts: Query
) -> None:
    page = opened("--workspace", "shop")
    gains = marts(
        "select gain from emq_coaching where workspace = 'shop' and events >= 10 order by gain desc, parameter"
    )
    shown = [each.split()[0] for each in page.locator(".step .points").all_inner_texts()]
    assert shown[:5] == [f"+{gain:.1f}" if gain >= 0.1 else f"+{gain:.2f}" for (gain,) in gains[:5]]
    assert page.locator(".step h4").all_inner_texts()[:2] == ["Product ids web", "Click id web"]
    assert "Pass products with id, quantity and price" in page.locator(".step p").first.inner_text()


def test_it_says_how_destinations_do(opened: Callable[..., Page]) -> None:
    page = opened("--workspace", "shop")
    panel = page.locator("section:has(> h3:text-is('Destination health'))")
    ((day, *cells),) = table(page, "Destination health", "By day")
    assert day == "Mon 2 Mar"
    assert cells[:2] == ["5", "60 %"]
    assert cells[2:8] == ["55 ms", "50 ms", "94 ms", "99 ms", "2", "750 ms"]
    assert cells[8:10] == ["2", "1"]
    assert cells[12] == "no answer 20 %, slowed down 20 %"
    errors = panel.locator(".errors").inner_text()
    assert "Time-out" in errors
    assert "2 Mar 2026, 23:05" in errors
    assert "Check the network between this machine and Snap" in errors
    assert "No requests in these seven days" in panel.locator("article", has_text="New pixel").inner_text()


def test_it_accounts_for_everything_with_its_reasons(opened: Callable[..., Page]) -> None:
    page = opened("--workspace", "shop")
    assert table(page, "Accounting", "Received by day, in UTC") == [["Mon 2 Mar", "10", "4", "6", "0"]]
    delivered = ["6", "5", "0", "1", "0", "0", "0"]
    assert table(page, "Accounting", "By day, in UTC") == [["Mon 2 Mar", *delivered], ["Seven days", *delivered]]
    why = table(page, "Accounting", "Why events are no conversions")
    assert ["Excluded", "Advertising consent was denied", "1", "10 %"] in why
    assert table(page, "Accounting", "Why conversions were not delivered") == [["Rejected", "bad value", "1", "16.7 %"]]
    assert "everything is accounted for" in text_of(page, "#workspace-1")


def test_it_tells_of_every_workspace_and_that_the_measure_is_its_own(opened: Callable[..., Page]) -> None:
    page = opened()
    assert page.locator(".workspace > h2").all_inner_texts() == ["shop", "with_ph", "quiet"]
    assert "No event of these seven days was read" in text_of(page, "#workspace-3")
    assert "The scores are this project's own measure" in text_of(page, "footer")


def test_it_is_built_of_headings_in_order_and_tables_with_captions(opened: Callable[..., Page]) -> None:
    page = opened()
    levels = [
        int(level) for level in page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => h.tagName[1])")
    ]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert page.locator("table").count() == page.locator("table > caption").count()


def test_marts_without_rows_are_a_page_that_says_so(
    opened: Callable[..., Page], built: tuple[Path, str], tmp_path: Path
) -> None:
    emptied = dict.fromkeys(set(lakes.MARTS) - {"report_week"}, "from mart where false")
    page = opened("--workspace", "shop", lake=altered(tmp_path, built[0], **emptied))
    said = text_of(page, "main")
    assert "Nothing has landed yet" in said
    assert "snap-pipeline land FILE --workspace shop" in said
    assert "–" not in said


def test_what_the_data_says_stays_text(opened: Callable[..., Page], built: tuple[Path, str], tmp_path: Path) -> None:
    page = opened(
        "--workspace",
        "shop",
        lake=altered(
            tmp_path,
            built[0],
            report_scores=f"select * replace ('{HOSTILE}' as event_name) from mart",
            report_error_messages=f"select * replace ('{HOSTILE}' as message) from mart",
        ),
    )
    assert page.locator("img").count() == 0
    assert HOSTILE in text_of(page, ".events .name")
    assert HOSTILE in text_of(page, ".errors")


def test_without_marts_it_says_how_to_make_them_and_leaves_the_old_page(report: Report, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("last week's")
    result = report(lake=tmp_path / "lake")
    assert result.exit_code == 1
    assert "Build them with `snap-pipeline insights`" in result.stderr
    assert (tmp_path / "report.html").read_text() == "last week's"


def test_names_without_an_end_and_reasons_without_number_stay_readable(
    opened: Callable[..., Page], built: tuple[Path, str], tmp_path: Path
) -> None:
    lake = altered(
        tmp_path,
        built[0],
        **dict.fromkeys(
            ("report_scores", "report_parameters", "report_coaching"),
            f"select * replace (event_name || if(event_name = 'PURCHASE', '', '{'X' * 300}') as event_name) from mart",
        ),
        report_error_messages=f"select * replace ('{'Y' * 300}' as message) from mart",
        report_deliveries=f"select * replace ('{'Z' * 100}' as destination) from mart",
        report_destinations=f"select * replace ('{'Z' * 100}' as destination) from mart",
        report_reasons="select * replace (position + 5000 as position) from mart union all by name"
        f" select 'shop' as workspace, 'd1' as destination_id, 'rejected' as entry, '{'W' * 100}' || i as reason,"
        " 2 as events, i + 1 as position from range(5000) rows (i)",
    )
    page = opened("--workspace", "shop", lake=lake, size=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    why = table(page, "Accounting", "Why conversions were not delivered")
    assert len(why) == 21
    assert why[-1] == ["Others", "4,981 more reasons", "9,961", "99.9 %"]


@pytest.mark.parametrize(("hours", "said"), [(1, None), (5, "made 5 hours ago"), (6 * 24, "made 6 days ago")])
def test_old_numbers_say_how_old_they_are(
    opened: Callable[..., Page], built: tuple[Path, str], tmp_path: Path, hours: int, said: str | None
) -> None:
    aged = f"select * replace (week_end - interval {hours} hour as week_end) from mart"
    page = opened("--workspace", "shop", lake=altered(tmp_path, built[0], report_week=aged))
    notice = page.locator(".stale").all_inner_texts()
    assert len(notice) == (said is not None)
    assert said is None or said in notice[0]


@pytest.mark.parametrize(
    "outdated",
    [
        {"report_parameters": "select * exclude (linked) from mart"},
        {"report_coaching": "select * exclude (position_in_step) from mart"},
        {"report_reasons": "select * exclude (position) from mart"},
    ],
)
def test_marts_of_another_version_are_to_be_made_again(
    report: Report, built: tuple[Path, str], tmp_path: Path, outdated: dict[str, str]
) -> None:
    result = report(lake=altered(tmp_path, built[0], **outdated))
    assert result.exit_code == 1
    assert "built by another version of the pipeline" in result.stderr
    assert "Rebuild them with `snap-pipeline insights`" in result.stderr


def test_marts_of_a_version_without_report_models_are_to_be_made_again(
    report: Report, built: tuple[Path, str], tmp_path: Path
) -> None:
    older = altered(tmp_path, built[0])
    for model in lakes.REPORT_MODELS:
        shutil.rmtree(older / model)
    result = report(lake=older)
    assert result.exit_code == 1
    assert "report_scores" in result.stderr
    assert "Build them with `snap-pipeline insights`" in result.stderr


def test_an_unknown_workspace_and_a_missing_folder_are_plain_errors(report: Report, tmp_path: Path) -> None:
    unknown = report("--workspace", "nowhere")
    assert unknown.exit_code == 2
    assert "Configured: shop, with_ph, quiet" in unknown.stderr
    missing = report("-o", str(tmp_path / "missing" / "report.html"))
    assert missing.exit_code == 1
    assert "report.html cannot be written: No such file or directory" in missing.stderr


def test_it_replaces_the_page_and_leaves_nothing_else(report: Report, tmp_path: Path) -> None:
    assert report().exit_code == report().exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.endswith((".html", ".tmp"))) == ["report.html"]

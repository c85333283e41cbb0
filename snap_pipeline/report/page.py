"""The report as one self-contained HTML page: no scripts, fonts or pictures from elsewhere.

`templates/` has the templates: `page.html` includes the sections, each section has a file of its own, and `charts.html`
draws the bars, rings and trends.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined, UndefinedError, select_autoescape
from markupsafe import Markup, escape

from snap_pipeline.hours import format_hour
from snap_pipeline.plurals import agreeing, quantity
from snap_pipeline.report import labels, numbers
from snap_pipeline.report.marts import MartsOutdated, Report
from snap_pipeline.report.statuses import DestinationStatus

GOOD, FAIR = 7, 4
"""The lowest scores that count as good and as fair; lower ones count as low."""
STALE = timedelta(hours=2)
"""The age at which the page says how old its numbers are; they are made every hour."""
MOST_EVENTS = 40
"""The most event names that a workspace's page shows in full; there may be thousands of custom names."""
MOST_REASONS = 20
"""The most reasons that a table shows; Snap's may quote a value of each event, so there may be thousands."""


def render(
    report: Report,
    statuses: Mapping[str, DestinationStatus],
    unread: Mapping[str, Sequence[datetime]],
    *,
    written_at: datetime,
) -> str:
    """Return the page's HTML, with every text of the data escaped.

    Args:
        report: the rows that the page shows.
        statuses: of the destinations, by id, the most urgent first.
        unread: the hours of the week with landed files that were not read, by workspace.
        written_at: time for the page's footer.

    Raises:
        MartsOutdated: a column that a template shows is missing.
    """
    style = resources.files("snap_pipeline.report").joinpath("templates", "page.css").read_text(encoding="utf-8")
    template = _environment().get_template("page.html")
    try:
        return template.render(
            report=report,
            statuses=statuses,
            unread=unread,
            style=style,
            written_at=written_at.astimezone(UTC),
            age=written_at - report.end,
        )
    except UndefinedError as error:
        raise MartsOutdated(error) from error


def level(score: float) -> str:
    """Name the level of a score: good, fair or low."""
    return "good" if score >= GOOD else "fair" if score >= FAIR else "low"


def commands(text: str) -> Markup:
    """Escape a text and mark up the commands in it, which messages put between backticks."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("snap_pipeline.report", "templates"),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for filter_ in (
        numbers.count,
        numbers.percent,
        numbers.points,
        numbers.gain,
        numbers.duration,
        numbers.milliseconds,
        numbers.moment,
        numbers.day,
        format_hour,
        numbers.age,
        quantity,
        agreeing,
        level,
        commands,
        labels.remedy,
        labels.conversion_types,
    ):
        environment.filters[filter_.__name__] = filter_
    environment.globals |= {
        "labels": labels,
        "good": GOOD,
        "fair": FAIR,
        "stale": STALE,
        "most_events": MOST_EVENTS,
        "nothing": numbers.NOTHING,
        "most_reasons": MOST_REASONS,
    }
    return environment

"""The report as one HTML page that needs nothing else: no script, no font, no picture from elsewhere."""

from datetime import UTC, datetime
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from snap_pipeline.report import labels, numbers
from snap_pipeline.report.marts import Report

GOOD, FAIR = 7, 4
"""Scores from which the page calls one good, or fair; below it is low."""
MOST_EVENTS = 40
"""Events that a workspace's page shows in full, those with most conversions; custom names may be thousands."""
MOST_REASONS = 20
"""Reasons that a table shows; Snap's may name a value of each event, and so be thousands."""


def render(report: Report, *, written_at: datetime) -> str:
    """The page's HTML. Every text of the data is escaped.

    Args:
        report: what the page says.
        written_at: printed in its footer.
    """
    style = resources.files("snap_pipeline.report").joinpath("page.css").read_text(encoding="utf-8")
    template = _environment().get_template("page.html")
    return template.render(
        report=report,
        style=style,
        written_at=written_at.astimezone(UTC),
        most_events=MOST_EVENTS,
        most_reasons=MOST_REASONS,
        good=GOOD,
        fair=FAIR,
    )


def level(score: float) -> str:
    """A score in a word."""
    return "good" if score >= GOOD else "fair" if score >= FAIR else "low"


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("snap_pipeline.report", "."),
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
        level,
        labels.remedy,
    ):
        environment.filters[filter_.__name__] = filter_
    environment.globals["words"] = labels
    return environment

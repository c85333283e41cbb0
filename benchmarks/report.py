"""The report of the measurements: Markdown with the goals first, JSON, and bar charts."""

import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from benchmarks.processes import cores

PACKAGES = ("duckdb", "dagster", "pandas", "orjson", "requests", "uvicorn")


@dataclass(frozen=True)
class Goal:
    """A goal: a measured number and its limit."""

    what: str
    measured: float
    limit: float
    bound: Literal["at least", "at most"]

    @property
    def is_met(self) -> bool:
        """True if the measured number is within the limit."""
        return self.measured >= self.limit if self.bound == "at least" else self.measured <= self.limit


@dataclass(frozen=True)
class Table:
    """A table: rows of text under the names of their columns."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Section:
    """The results of one benchmark.

    Attributes:
        title: of the benchmark.
        text: a paragraph on the measurement.
        goals: the measured goals.
        tables: the numbers.
        bars: the numbers of a chart, by name.
        bars_title: the title of the chart.
    """

    title: str
    text: str
    goals: Sequence[Goal]
    tables: Sequence[Table]
    bars: Mapping[str, float] = field(default_factory=dict)
    bars_title: str = ""


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False).stdout.strip()


def machine() -> dict[str, str]:
    """Describe the machine and the versions of packages."""
    commit = _git("describe", "--always")
    # The results themselves are changed by every run.
    if _git("status", "--porcelain", "--untracked-files=no", "--", ":!benchmarks/results"):
        commit += "-dirty"
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit or "unknown",
        "machine": f"{cores()} cores, {platform.machine()}, {platform.system()}",
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def write(folder: Path, name: str, sections: Sequence[Section]) -> Path:
    """Write `<name>.md`, `<name>.json` and a chart for each section with bars; return the Markdown's path."""
    folder.mkdir(parents=True, exist_ok=True)
    where = machine()
    parts = ["# Results", "", ", ".join(f"{key} {value}" for key, value in where.items()) + ".", ""]
    parts += [
        "Absolute times on shared machines mean little; ratios and CPU seconds mean more. How to run this: "
        "docs/performance.md.",
        "",
        *as_markdown(goals_table([goal for section in sections for goal in section.goals])),
    ]
    for number, section in enumerate(sections):
        parts += [f"## {section.title}", "", section.text, ""]
        for table in section.tables:
            parts += as_markdown(table)
        if section.bars:
            chart = folder / f"{name}-{number}.svg"
            chart.write_text(as_svg(section.bars_title, section.bars), encoding="utf-8")
            parts += [f"![{section.bars_title}]({chart.name})", ""]
    path = folder / f"{name}.md"
    path.write_text("\n".join(parts).rstrip() + "\n", encoding="utf-8")
    content: dict[str, Any] = {"machine": where, "sections": [asdict(section) for section in sections]}
    (folder / f"{name}.json").write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return path


def goals_table(goals: Sequence[Goal]) -> Table:
    """Return the table of goals, and whether they were met."""
    return Table(
        ("", "measured", "goal", ""),
        [
            [
                goal.what,
                _number(goal.measured),
                f"{goal.bound} {_number(goal.limit)}",
                "met" if goal.is_met else "**not met**",
            ]
            for goal in goals
        ],
    )


def as_markdown(table: Table) -> list[str]:
    """Render a table."""
    lines = [table.columns, ["---"] * len(table.columns), *table.rows]
    return ["| " + " | ".join(map(str, line)) + " |" for line in lines] + [""]


def as_svg(title: str, bars: Mapping[str, float]) -> str:
    """Render a chart of horizontal bars."""
    widest, row = max(bars.values()), 28
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="720" height="{row * (len(bars) + 2)}" '
        'font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="white"/>',
        f'<text x="10" y="20" font-weight="bold">{escape(title)}</text>',
    ]
    for place, (label, value) in enumerate(bars.items(), 1):
        y = row * place + 8
        parts += [
            f'<text x="10" y="{y + 15}">{escape(label)}</text>',
            f'<rect x="220" y="{y}" width="{400 * value / widest:.1f}" height="20" fill="#4a7ebb"/>',
            f'<text x="{226 + 400 * value / widest:.1f}" y="{y + 15}">{_number(value)}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"

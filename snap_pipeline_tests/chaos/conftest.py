"""How long and with which seed the chaos harnesses run: briefly in `make test`, for minutes in `make chaos`."""

import os
from dataclasses import dataclass, field
from random import Random

import pytest

FIGURES: list[str] = []
"""Lines of this run's harnesses, which its end shows."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of all harnesses together."""
    for line in FIGURES:
        terminalreporter.write_line(line)


@dataclass(frozen=True)
class Chaos:
    """One harness run.

    Attributes:
        seed: of everything random; a failure is reproduced with `make chaos SEED=<seed>`.
        scale: how many times the short form's rounds are run.
        random: the source of all chance, seeded.
    """

    seed: int
    scale: int
    random: Random = field(repr=False)

    def rounds(self, short: int) -> range:
        """The rounds to run, from how many `make test` runs."""
        return range(short * self.scale)

    def figures(self, **figures: object) -> None:
        """Print what was tried and what held; `make chaos` shows it."""
        FIGURES.append(" ".join([f"chaos seed={self.seed}", *(f"{name}={value}" for name, value in figures.items())]))


@pytest.fixture
def chaos() -> Chaos:
    """The seed and the scale of this run, from the environment."""
    seed = int(os.environ.get("SNAP_CHAOS_SEED", "17"))
    return Chaos(seed, int(os.environ.get("SNAP_CHAOS_SCALE", "1")), Random(seed))

"""Seed and length of the chaos harnesses: seconds in `make test`, minutes in `make chaos`."""

import os
from dataclasses import dataclass, field
from random import Random

import pytest

FIGURES: list[str] = []
"""The figures of this run's harnesses, printed at its end."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the figures of all harnesses together."""
    for line in FIGURES:
        terminalreporter.write_line(line)


@dataclass(frozen=True)
class Chaos:
    """The seed and length of a harness run.

    Attributes:
        seed: of everything random; a failure is reproduced with `make chaos SEED=<seed>`.
        scale: the factor on the rounds of `make test`.
        random: the seeded generator of all random choices.
    """

    seed: int
    scale: int
    random: Random = field(repr=False)

    def rounds(self, short: int) -> range:
        """Return the rounds to run, from the number that `make test` runs."""
        return range(short * self.scale)

    def figures(self, **figures: object) -> None:
        """Add the figures of a harness to the summary."""
        FIGURES.append(" ".join([f"chaos seed={self.seed}", *(f"{name}={value}" for name, value in figures.items())]))


@pytest.fixture
def chaos() -> Chaos:
    """Return the seed and scale of this run, from the environment."""
    seed = int(os.environ.get("SNAP_CHAOS_SEED", "17"))
    return Chaos(seed, int(os.environ.get("SNAP_CHAOS_SCALE", "1")), Random(seed))

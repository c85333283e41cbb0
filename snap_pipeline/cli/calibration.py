"""`insights --calibrate`: a fit of the match score's weights to Snap's own scores. It only prints.

The fit keeps the formula of the score (`dbt_project/macros/scores.sql`) and searches weights, none below 0 and with the
sum of ours, that bring it closest to Snap's scores by least squares.
"""

from dataclasses import dataclass
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from snap_pipeline.cli.terminal import print_table
from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.storage import mart
from snap_pipeline.report.labels import PARAMETERS

OBSERVATIONS_A_WEIGHT = 2
"""The least number of observations for each weight; fewer fit almost any score."""
SCALES = (1, 10, 100)
"""Scales that Snap's scores may have; the smallest that holds them all is taken."""
FOLDS = 5
REWEIGHTINGS = 10
STEPS = 1_000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Observations:
    """Scores of Snap beside what ours is made of.

    Attributes:
        parameters: names, one a column.
        weights: our weight of each parameter.
        applies: 1 where a parameter applies to the observation's event, else 0; observations x parameters.
        reached: the share of the target that is reached, 0 where the parameter does not apply; likewise.
        scores: Snap's, brought to our scale from 0 to 10.
        events: number of the event of each observation: workspace, name and conversion type.
        scale: the top of Snap's scale.
    """

    parameters: list[str]
    weights: Floats
    applies: Floats
    reached: Floats
    scores: Floats
    events: NDArray[np.int64]
    scale: int

    def score(self, weights: Floats) -> Floats:
        """Return the score of each observation under other weights, from 0 to 10."""
        return np.asarray(10 * (self.reached @ weights) / np.maximum(self.applies @ weights, 1e-9))

    def error(self, weights: Floats) -> float:
        """Return the mean absolute error under weights, in points."""
        return float(np.abs(self.score(weights) - self.scores).mean())

    def only(self, chosen: NDArray[np.bool_]) -> "Observations":
        """Return some of the observations."""
        rows = (self.applies[chosen], self.reached[chosen], self.scores[chosen], self.events[chosen])
        return Observations(self.parameters, self.weights, *rows, self.scale)


def print_calibration(lake: Lake) -> None:
    """Print weights fitted to Snap's own scores beside ours, with the error of both."""
    observations = read_observations(lake)
    found = 0 if observations is None else len(observations.scores)
    needed = OBSERVATIONS_A_WEIGHT * (0 if observations is None else len(observations.parameters))
    if observations is None or found < needed:
        click.echo(
            f"Too few observations to fit weights to Snap's own scores: {found} in the last seven days, at least "
            f"{needed or 'two for each weight'} are needed. Each score of an event and day counts as one, if the event "
            "had ten conversions in the week before. SNAP_PIPELINE_SNAP_SCORES=true asks Snap for its scores every day."
        )
        return
    fitted = fit(observations)
    table = Table("parameter", "weight", "fitted", title="Weights, fitted to Snap's own scores", title_justify="left")
    for name, weight, fit_weight in zip(observations.parameters, observations.weights, fitted, strict=True):
        table.add_row(PARAMETERS[name], f"{weight:.0f}", f"{fit_weight:.1f}")
    print_table(table, width=100)
    click.echo(
        f"Mean absolute error over {found} observations (at least {needed} are needed), in points of 10: "
        f"{observations.error(observations.weights):.2f} with our weights, {observations.error(fitted):.2f} with the "
        f"fitted ones. {_unseen_error(observations)}"
    )
    click.echo(
        f"Snap's scores were read on a scale from 0 to {observations.scale}. Nothing was changed: the weights are in "
        "the seed parameter_weights.csv."
    )


def read_observations(lake: Lake) -> Observations | None:
    """Read the observations from the marts; None without any."""
    with lake.connect() as connection:
        rows = connection.execute(
            f"select * replace (day::varchar as day) from {lake.storage.scan([mart('report_calibration')])}"
        ).df()
    if rows.empty:
        return None
    event = ["workspace", "event_name", "conversion_type"]
    reached = rows.pivot_table(index=[*event, "day", "snap_score"], columns="parameter", values="reached")
    weights = rows.groupby("parameter")["weight"].first().sort_values(ascending=False)
    reached = reached[list(weights.index)]
    scores: Floats = reached.index.get_level_values("snap_score").to_numpy(dtype=float)
    scale = next((scale for scale in SCALES if scores.max() <= scale), int(np.ceil(scores.max())))
    return Observations(
        parameters=list(weights.index),
        weights=weights.to_numpy(dtype=float),
        applies=reached.notna().to_numpy(dtype=float),
        reached=reached.fillna(0).to_numpy(dtype=float),
        scores=scores * 10 / scale,
        events=np.asarray(reached.groupby(level=event).ngroup(), dtype=np.int64),
        scale=scale,
    )


def fit(observations: Observations) -> Floats:
    """Return the weights that bring the score closest to Snap's, by least squares.

    The score is a ratio of two sums. Multiplied by the lower one it is linear in the weights; that sum, of the last
    weights, divides the rows again. What the observations do not tell stays near our weights, from which it begins.
    """
    weights, total = observations.weights, observations.weights.sum()
    linear = observations.applies * observations.scores[:, None] - 10 * observations.reached
    for _ in range(REWEIGHTINGS):
        rows = linear / np.maximum(observations.applies @ weights, 1e-9)[:, None]
        gram = rows.T @ rows
        step = 1 / max(float(np.linalg.eigvalsh(gram)[-1]), 1e-12)
        for _ in range(STEPS):
            weights = _project(weights - step * (gram @ weights), total)
    return weights


def _project(weights: Floats, total: float) -> Floats:
    """Return the nearest weights, none below 0, with a sum."""
    falling = np.sort(weights)[::-1]
    excess = (np.cumsum(falling) - total) / np.arange(1, len(falling) + 1)
    return np.asarray(np.maximum(weights - excess[falling > excess][-1], 0))


def _unseen_error(observations: Observations) -> str:
    """Say how well a fit does on events that it did not see: days of one event are almost copies of each other."""
    events = np.unique(observations.events)
    if len(events) < 2:
        return "All are of one event, so nothing tells how well they do for others."
    errors: list[Any] = []
    for fold in range(min(FOLDS, len(events))):
        unseen = observations.events % min(FOLDS, len(events)) == fold
        fitted = fit(observations.only(~unseen))
        errors += [np.abs(observations.only(unseen).score(fitted) - observations.scores[unseen])]
    return f"On events left out of the fit, fitted weights have {np.concatenate(errors).mean():.2f}."

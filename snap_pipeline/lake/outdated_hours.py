"""Outdated hours: those that another recipe than today's made, so that they would turn out differently now."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from snap_pipeline.lake.lake import Lake
from snap_pipeline.lake.mappings import Mappings
from snap_pipeline.lake.summaries import Summaries, Summary


class OutdatedHours:
    """Search for outdated hours, each with the workspaces that this affects.

    Args:
        lake: tells which hours were pruned.
        summaries: of its hours.
        mappings: give today's recipes.
    """

    def __init__(self, lake: Lake, summaries: Summaries, mappings: Mappings) -> None:
        self._lake, self._summaries, self._mappings = lake, summaries, mappings

    def find(self, hours: Iterable[datetime]) -> Mapping[datetime, Sequence[str]]:
        """Return the hours with tables of another recipe, but for pruned ones, which cannot be made again."""
        recipes = self._mappings.recipes
        kept = [hour for hour in hours if not self._lake.is_pruned(hour)]
        return self._affected(kept, lambda summary: recipes.outdated_workspaces(summary.recipes))

    def find_outdated_consent(self, hours: Iterable[datetime]) -> Mapping[datetime, Sequence[str]]:
        """Return the hours whose conversions were let through by other rules of consent, pruned ones among them."""
        recipes = self._mappings.recipes

        def workspaces(summary: Summary) -> Sequence[str]:
            noted = summary.consent_recipes
            return [name for name in summary.conversions if not recipes.is_consent_current(name, noted)]

        return self._affected(hours, workspaces)

    def _affected(
        self, hours: Iterable[datetime], workspaces: Callable[[Summary], Sequence[str]]
    ) -> Mapping[datetime, Sequence[str]]:
        found = {hour: workspaces(summary) for hour, summary in sorted(self._summaries.of(hours).items())}
        return {hour: names for hour, names in found.items() if names}

"""The resources of the code location, as Dagster's UI shows them.

Their docstrings are what the UI shows, in Markdown, which is why each is one line. None has anything to configure in a
run: a value of one run would be unknown to the commands, the sensor and the accounting, which read the same settings.
No token passes through here, since configuration is shown in the UI.
"""

import dagster as dg
from dagster_dbt import DbtCliResource

from snap_pipeline.delivery.dispatch import Dispatcher
from snap_pipeline.pipeline import Pipeline


class PipelineResource(dg.ResourceDefinition):
    """The home's lake, landing zone, mappings, destinations and accounting, which all steps and commands share."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(lambda _: pipeline, description=self.__doc__)


class SnapConversionsApi(dg.ConfigurableResource[None]):
    """The Snapchat Conversions API; `snap-pipeline destination set` changes a destination's rate and age limits."""

    def dispatcher(self, pipeline: Pipeline) -> Dispatcher:
        """Return the dispatch engine, whose requests keep to each token's rate limit."""
        return pipeline.dispatcher()


class DbtResource(DbtCliResource):
    """The dbt command, which builds the marts and their tests from the lake; its project is part of the package."""

"""The resource by which assets reach Snap. Everything else that they need is `pipeline.py`."""

import dagster as dg

from snap_pipeline.delivery.dispatch import Dispatcher
from snap_pipeline.pipeline import Pipeline


class SnapConversionsApi(dg.ConfigurableResource[None]):
    """The rate-limited Snapchat Conversions API.

    It has nothing to configure in a run. The rate limit, which all processes with the same access token share, and the
    age limits of events belong to each destination (`snap-pipeline destination set`), where the backlog, the accounting
    and the health of the destination read them too; a limit of one run would be unknown to those. A run configuration
    that sets one, as earlier versions took it, is refused by Dagster. No token passes through here, since configuration
    is shown in Dagster's UI.
    """

    def dispatcher(self, pipeline: Pipeline) -> Dispatcher:
        """Return the dispatch engine, whose requests keep to each token's rate limit."""
        return pipeline.dispatcher()

"""The Dagster resource of Snap's API: limits that a run may override. `pipeline.py` has everything else."""

import dagster as dg
from pydantic import Field

from snap_pipeline.delivery.dispatch import Dispatcher
from snap_pipeline.delivery.event_status import AgeLimits
from snap_pipeline.pipeline import Pipeline


class SnapConversionsApi(dg.ConfigurableResource[None]):
    """The rate-limited Snapchat Conversions API.

    The limit itself, requests a minute, belongs to each destination and is shared by all processes that use the
    same access token. No token passes through here, since configuration is shown in Dagster's UI.
    """

    web_age_days: int = Field(7, description="WEB and MOBILE_APP events older than this are not sent to v3.")
    offline_age_days: int = Field(37, description="OFFLINE events, and all events in v2, older than this are not sent.")

    def dispatcher(self, pipeline: Pipeline) -> Dispatcher:
        """Create the dispatch engine with these limits."""
        return pipeline.dispatcher(AgeLimits(self.web_age_days, self.offline_age_days))

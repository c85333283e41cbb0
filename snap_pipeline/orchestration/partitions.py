"""The hourly partitions that every asset of the chain shares."""

from datetime import datetime

import dagster as dg

from snap_pipeline.hours import HOUR_FORMAT, format_hour


def hourly_partitions(first_hour: datetime) -> dg.HourlyPartitionsDefinition:
    """Hours in UTC from the first one on; the running hour is one of them."""
    return dg.HourlyPartitionsDefinition(
        start_date=format_hour(first_hour), fmt=HOUR_FORMAT, timezone="UTC", end_offset=1
    )

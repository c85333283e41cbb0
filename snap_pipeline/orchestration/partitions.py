"""The hourly partitions that every asset of the chain shares."""

from datetime import datetime

import dagster as dg

from snap_pipeline.hours import HOUR_FORMAT, format_hour


def hourly_partitions(first_hour: datetime) -> dg.HourlyPartitionsDefinition:
    """Build the hourly partitions in UTC, from the first hour to the running hour."""
    return dg.HourlyPartitionsDefinition(
        start_date=format_hour(first_hour), fmt=HOUR_FORMAT, timezone="UTC", end_offset=1
    )

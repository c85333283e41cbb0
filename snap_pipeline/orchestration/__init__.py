"""All that knows Dagster: assets, checks, jobs, schedules, sensors and alerts. `definitions.py` wires them."""

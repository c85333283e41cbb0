"""The Dagster code: assets, checks, jobs, schedules, sensors and alerts. `definitions.py` wires them."""

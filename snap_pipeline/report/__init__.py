"""The report: one HTML page on match quality, destination health and accounting, for people without Dagster."""

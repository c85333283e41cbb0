"""The report: one page for people who do not open Dagster, made of the marts alone."""

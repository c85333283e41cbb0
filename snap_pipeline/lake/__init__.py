"""The lake and the landing zone: Parquet partitions, and the SQL that derives them from landed files.

Nothing here talks to Snap or knows of Dagster.
"""

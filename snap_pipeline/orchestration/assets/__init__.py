"""The assets, one file a step: each reads its hours, calls the inside, and reports.

What a step does to data is decided in `lake/` and `delivery/`; how assets are wired is `definitions.py`.
"""

"""The assets, one module per step: each takes its hours, calls `lake/` or `delivery/`, and reports metadata.

The rules for data are in `lake/` and `delivery/`; `definitions.py` wires the assets.
"""

"""The state database: destinations, leases and rate limits. It does not grow with events; the lake is the ledger.

`database.py` is the engine, `tables.py` the current tables, `migrations/` the steps that create them. The rows are used
by `destinations/`, `delivery/leases.py` and `capi/rate_limit.py`.
"""

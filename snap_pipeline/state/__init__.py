"""The state database: who receives, leases and rate limits. It does not grow with events; the lake is the ledger.

`database.py` is the engine, `tables.py` the tables of today, `migrations/` how they come to be. What the rows
mean is the business of `destinations/`, `delivery/leases.py` and `capi/rate_limit.py`.
"""

"""Snap's Conversions API and nothing else: its versions, the HTTP client, the error catalogue, its limits.

`v3.py` and `v2.py` hold the differences between the versions, `answers.py` the error catalogue with the retries of each
answer, `limits.py` the numbers that Snap sets. Batches, and the receipts of what was sent, are in `delivery/`.
"""

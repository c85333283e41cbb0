"""Snap's Conversions API and nothing else: its versions, the HTTP client, what its answers mean, its limits.

`v3.py` and `v2.py` hold what differs between the versions, `answers.py` the error catalogue with the retries of each
answer, `limits.py` the numbers that Snap sets. What is sent when, and what is remembered of it, is `delivery/`.
"""

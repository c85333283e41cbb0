"""The dispatch engine: finds the backlog, sends it in batches, and keeps a receipt of each event's outcome.

Its input are the finished conversions of `lake/`, and it reaches Snap through `capi/`. Its state is a write-ahead log
in the lake: an intent before each request, a receipt after its answer.
"""

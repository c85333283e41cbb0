"""The dispatch engine: what is pending, in which batches it goes out, and the receipts of what became of it.

It decides on conversions that are already made (`lake/`), talks to Snap through `capi/`, and keeps its memory in
the lake: intents before a request, receipts after its answer.
"""

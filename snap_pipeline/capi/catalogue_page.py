"""The page docs/errors.md, rendered from the error catalogue: `python -m snap_pipeline.capi.catalogue_page`."""

from pathlib import Path

from snap_pipeline.capi.answers import CATALOGUE, Action

PAGE = Path(__file__).resolve().parents[2] / "docs" / "errors.md"

HEAD = """# What Snap answers, and what happens

Rendered from the catalogue in `snap_pipeline/capi/answers.py`, which the delivery engine follows.
"pending" events go out with the next run; "in doubt" ones may have arrived, and go out again under the same ids
within Snap's 48-hour deduplication window.

An exchange has 30 s from the connection to the last byte of the answer, and an answer at most 1 MB. Where the status
decides alone (401, 403, 404, 413, 429, 5xx, a redirect), the body may be missing or broken. Words of an answer are kept
as one line of printable characters, without the access token and without pieces of it.

| category | answer | what happens | afterwards | what to do |
|---|---|---|---|---|
"""

HAPPENS = {
    Action.DELIVER: "receipts are written",
    Action.HALVE: "named events are rejected; where none is named, the batch is halved until the bad ones stand alone",
    Action.SLOW_DOWN: "everything on the token waits: 1 s doubling to 60 s, or Retry-After, for up to ten minutes",
    Action.RETRY: "up to 3 retries after 0.5, 1 and 2 s; several such batches in a row stop the destination",
    Action.STOP: "the destination stops for this run; nothing is rejected",
}


def catalogue_page() -> str:
    """The page's text."""
    rows = []
    for category, rule in CATALOGUE.items():
        afterwards = "pending" if rule.nothing_taken else "in doubt"
        if rule.action in (Action.DELIVER, Action.HALVE):
            afterwards = "settled"
        rows.append(f"| `{category}` | {rule.when} | {HAPPENS[rule.action]} | {afterwards} | {rule.remedy} |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(catalogue_page(), encoding="utf-8")

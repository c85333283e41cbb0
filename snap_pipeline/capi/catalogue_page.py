"""The page docs/errors.md, rendered from the error catalogue: `python -m snap_pipeline.capi.catalogue_page`."""

from pathlib import Path

from snap_pipeline.capi.answers import CATALOGUE, Action, Rule
from snap_pipeline.capi.client import ANSWER_SECONDS
from snap_pipeline.capi.limits import DEDUPLICATION_WINDOW
from snap_pipeline.exchange import MAXIMUM_BYTES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "errors.md"

PAGE_HEAD = f"""# What Snap answers, and what happens

Rendered from the catalogue in `snap_pipeline/capi/answers.py`, which the delivery engine follows.
"pending" events go out with the next run; "in doubt" ones may have arrived, and go out again under the same ids
within Snap's {DEDUPLICATION_WINDOW.total_seconds() / 3600:.0f}-hour deduplication window.

An exchange has {ANSWER_SECONDS:.0f} s from the connection to the last byte of the answer, and an answer at most
{MAXIMUM_BYTES / 1e6:.0f} MB. If the status alone decides (401, 403, 404, 413, 429, 5xx, a redirect), the body may be
missing or broken. Messages of answers are kept as one line of printable characters, without the access token or any
piece of it.

| category | answer | what happens | afterwards | what to do |
|---|---|---|---|---|
"""

ACTION_TEXTS = {
    Action.DELIVER: "receipts are written",
    Action.HALVE: "named events are rejected; where none is named, the batch is halved until the bad ones stand alone",
    Action.STOP: "the destination stops for this run; nothing is rejected",
}


def describe_action(rule: Rule) -> str:
    """Describe a row's action and retries."""
    retry = rule.retry
    if rule.action is Action.RETRY:
        *earlier, last = (f"{retry.pauses.seconds(number + 1):g}" for number in range(int(retry.retries)))
        pauses = f"{', '.join(earlier)} and {last}" if earlier else last
        times = "1 retry" if not earlier else f"{retry.retries:g} retries"
        return f"up to {times} after {pauses} s; several such batches in a row stop the destination"
    if rule.action is Action.SLOW_DOWN:
        return (
            f"everything on the token waits: {retry.pauses.first:g} s doubling to {retry.pauses.longest:g} s, or "
            f"Retry-After, for up to {retry.patience_seconds / 60:g} minutes"
        )
    return ACTION_TEXTS[rule.action]


def catalogue_page() -> str:
    """Render the page."""
    rows = []
    for category, rule in CATALOGUE.items():
        afterwards = "pending" if rule.nothing_taken else "in doubt"
        if rule.action in (Action.DELIVER, Action.HALVE):
            afterwards = "settled"
        rows.append(f"| `{category}` | {rule.when} | {describe_action(rule)} | {afterwards} | {rule.remedy} |")
    return PAGE_HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(catalogue_page(), encoding="utf-8")

-- Excluded events, each with its reason. Reads `raw_events` and `verdicts`, which have the same rows in the same order.
select
    raw_events.workspace,
    raw_events.event_id,
    raw_events.event_name,
    raw_events.event_time,
    raw_events.source_file,
    verdicts.reason
from raw_events
positional join verdicts
where verdicts.reason is not null

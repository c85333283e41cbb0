-- The events that are not sent, each with the reason. Reads `raw_events` (with file_row_number) and `verdicts`.
select
    raw_events.workspace,
    raw_events.event_id,
    raw_events.event_name,
    raw_events.event_time,
    raw_events.source_file,
    verdicts.reason
from raw_events
inner join verdicts on raw_events.file_row_number = verdicts.file_row_number
where verdicts.reason is not null

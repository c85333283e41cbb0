-- The events that are not sent, each with the reason. Reads `judged_events`.
select
    workspace,
    event_id,
    event_name,
    event_time,
    source_file,
    reason
from judged_events
where reason is not null

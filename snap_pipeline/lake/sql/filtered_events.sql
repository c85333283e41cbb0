-- The events that are conversions, in event-time order, which all later steps keep. Reads `judged_events`.
select * exclude (reason, file_row_number)
from judged_events
where reason is null
order by event_time, workspace, event_id

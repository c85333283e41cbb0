-- The events that are conversions, in event-time order, which all later steps keep; at the same time, in the order in
-- which they landed. Reads `judged_events`.
select * exclude (reason, file_row_number)
from judged_events
where reason is null
order by event_time, file_row_number

-- The events that are conversions. Reads `judged_events`.
select * exclude (reason, file_row_number)
from judged_events
where reason is null

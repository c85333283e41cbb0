-- The events that are conversions, each with what the links know of its person, in event-time order, which all later
-- steps keep; at the same time, in the order in which they landed. Reads `raw_events` (with file_row_number),
-- `verdicts` and `profiles`.
select
    raw_events.* exclude (file_row_number),
    verdicts.linked_click_id,
    verdicts.snap_event_name,
    verdicts.conversion_type,
    verdicts.limited_use,
    profiles.linked
from raw_events
inner join verdicts on raw_events.file_row_number = verdicts.file_row_number
left join profiles on verdicts.profile = profiles.subject
where verdicts.reason is null
order by raw_events.event_time, raw_events.file_row_number

-- The events that are conversions, each with what the links know of its person, in the order in which they landed,
-- which conversion_payloads.sql keeps: to sort rows this wide by time would cost more than all else here, and delivery
-- sorts what it sends. Reads `raw_events` (with file_row_number), `verdicts` and `profiles`, joined in this order.
select
    raw_events.* exclude (file_row_number),
    raw_events.file_row_number as landed_row,
    verdicts.linked_click_id,
    verdicts.snap_event_name,
    verdicts.conversion_type,
    verdicts.limited_use,
    profiles.linked
from raw_events
inner join verdicts on raw_events.file_row_number = verdicts.file_row_number
left join profiles on verdicts.profile = profiles.subject
where verdicts.reason is null

-- The events that are conversions, each with what the links know of its person, in the order in which they landed,
-- which conversion_payloads.sql keeps: to sort rows this wide by time would cost more than all else here, and delivery
-- sorts what it sends. Reads `raw_events` (with file_row_number); `verdicts`, whose rows stand beside those of
-- raw_events, so that none has to be looked for; and `profiles`.
select
    raw_events.* exclude (file_row_number),
    case
        when raw_events.file_row_number = verdicts.file_row_number then raw_events.file_row_number
        else error('verdicts are not in step with raw_events')
    end as landed_row,
    verdicts.linked_click_id,
    verdicts.snap_event_name,
    verdicts.conversion_type,
    verdicts.limited_use,
    profiles.linked
from raw_events
positional join verdicts
left join profiles on verdicts.profile = profiles.subject
where verdicts.reason is null

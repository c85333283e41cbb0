-- Conversions, each with its person's profile, in the order of landing, which conversion_payloads.sql keeps: sorting
-- rows this wide by time would cost more than everything else here, and delivery sorts what it sends. Reads
-- `raw_events` (with file_row_number); `verdicts`, which has the same rows in the same order, so that no join is
-- needed; and `profiles`.
select
    raw_events.* exclude (file_row_number),
    case
        when raw_events.file_row_number = verdicts.file_row_number then raw_events.file_row_number
        else error('verdicts are not in step with raw_events')
    end as landed_row,
    verdicts.subject_number,
    verdicts.linked_click_id,
    verdicts.snap_event_name,
    verdicts.conversion_type,
    verdicts.limited_use,
    profiles.linked
from raw_events
positional join verdicts
left join profiles on verdicts.profile = profiles.subject
where verdicts.reason is null

-- Conversions, each with its person's profile, in the order of landing, which conversion_payloads.sql keeps: sorting
-- rows this wide by time would cost more than everything else here, and delivery sorts what it sends. Reads
-- `raw_events` (with file_row_number); `verdicts`, which has the same rows in the same order, so that no join is
-- needed; and `profiles`.
select
    raw_events.* exclude (file_row_number) replace (
        -- An id that a crowd shares is not sent.
        case when not verdicts.is_of_crowd then raw_events.user_id end as user_id,
        case
            when verdicts.is_of_crowd
                then nullif(
                    list_filter(
                        raw_events.external_ids,
                        lambda id: id != coalesce(raw_events.user_id, raw_events.external_ids[1])
                    ),
                    []
                )
            else raw_events.external_ids
        end as external_ids,
        case
            when verdicts.is_of_crowd
                then list_distinct(
                    list_append(
                        raw_events.placeholder_ids, if(raw_events.user_id is null, 'external_id', 'user_id')
                    )
                )
            else raw_events.placeholder_ids
        end as placeholder_ids
    ),
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

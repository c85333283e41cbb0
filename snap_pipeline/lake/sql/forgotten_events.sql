-- Received events, with every value of forgotten people removed except those of the columns that are named here, which
-- say which event landed where and when: a column that nobody thought of is emptied. Reads `received_events` and the
-- variable `tombstones`, the digests that `snap-pipeline forget` wrote.
with matched_events as (
    select
        *,
        is_forgotten
        or list_has_any(
            tombstone_digests(user_id, previous_id, external_ids, anonymous_id, emails, phones),
            getvariable('tombstones')
        ) as is_match
    from received_events
),

emptied_events as (
    select
        case
            when
                is_match
                and alias(columns(*)) not in (
                    'workspace', 'source_file', 'event_id', 'call_type', 'event_name', 'event_time', 'has_time',
                    'is_match'
                )
                then null
            else columns(*)
        end
    from matched_events
)

select * exclude (is_match) replace (is_match as is_forgotten)
from emptied_events

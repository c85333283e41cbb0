-- The lines of one landed file that belong to a forgotten person, each with its line number and its replacement: an
-- event of the same id, name and time, and nothing else. Reads `received_events` and `good_lines` of the file; takes
-- the person's digests.
with numbered_events as (
    select
        *,
        row_number() over () as position
    from received_events
),

numbered_lines as (
    select
        line_number,
        line,
        row_number() over (order by rowid) as position
    from good_lines
)

select
    numbered_lines.line_number,
    numbered_lines.line::varchar as line,
    json_merge_patch(
        '{}',
        to_json({
            'event_id': numbered_events.event_id,
            'type': numbered_events.call_type,
            'event_name': numbered_events.event_name,
            'event_timestamp': strftime(numbered_events.event_time, '%Y-%m-%dT%H:%M:%S.%fZ'),
            '_forgotten': true
        })
    )::varchar as stub
from numbered_events
inner join numbered_lines using (position)
where
    not numbered_events.is_forgotten
    and list_has_any(
        tombstone_digests(user_id, previous_id, external_ids, anonymous_id, emails, phones), $digests::varchar[]
    )

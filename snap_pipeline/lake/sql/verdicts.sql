-- The verdict on every raw event of the hour, in their order: its Snap event name, its conversion type and its
-- exclusion reason, which is null for a conversion. Reads `raw_events` (with file_row_number), `linked_events`,
-- `event_names`, `internal_events`, `workspaces`.
with possible_duplicates as (
    -- Few ids repeat: hashes find the candidates in little memory, the window below decides.
    select hash(workspace, event_id) as id_hash
    from raw_events
    group by all
    having count(*) > 1
),

classified as (
    select
        raw_events.workspace,
        raw_events.event_id,
        raw_events.source_file,
        raw_events.file_row_number,
        raw_events.call_type,
        raw_events.event_time,
        raw_events.has_time,
        raw_events.is_forgotten,
        folded_name(raw_events.event_name) as folded,
        workspaces.unmapped_events,
        workspaces.unknown_consent,
        linked_events.profile,
        linked_events.subject_number,
        linked_events.linked_click_id,
        coalesce(linked_events.is_of_crowd, false) as is_of_crowd,
        -- Consent on the event itself wins over the person's earlier choice.
        coalesce(consent_state(raw_events.consent), linked_events.linked_consent) as consent_state,
        case when raw_events.consent is not null then has_unread_consent(raw_events.consent) end as has_unread_consent,
        event_names.folded is not null as is_mapped,
        case
            when raw_events.call_type in ('page', 'screen') then 'PAGE_VIEW'
            when event_names.folded is not null then event_names.snap_name
            else upper_snake_name(without_plaintext(raw_events.event_name))
        end as snap_event_name,
        -- Of other events, a status may be that of a member or a parcel.
        case
            when event_names.snap_name in ('PURCHASE', 'SUBSCRIBE', 'START_TRIAL')
                then is_incomplete_order(raw_events.order_statuses, raw_events.properties)
        end as is_incomplete_order,
        case
            when raw_events.call_type = 'screen' or raw_events.channel = 'mobile' then 'MOBILE_APP'
            when raw_events.channel in ('web', 'browser') then 'WEB'
            when raw_events.has_app_context and raw_events.page_url is null then 'MOBILE_APP'
            when raw_events.origin = 'mobile_app' then 'MOBILE_APP'
            when raw_events.origin in ('csv', 'cod_webhook') then 'OFFLINE'
            else 'WEB'
        end as conversion_type
    from raw_events
    left join linked_events on raw_events.file_row_number = linked_events.file_row_number
    left join workspaces on raw_events.workspace = workspaces.name
    left join event_names
        on raw_events.workspace = event_names.workspace and folded_name(raw_events.event_name) = event_names.folded
),

-- As at Snap, events are duplicates if both id and name are equal: a checkout and a purchase may share their order's
-- id.
duplicates as (
    select file_row_number
    from classified
    where hash(workspace, event_id) in (from possible_duplicates)
    qualify row_number() over (
        partition by workspace, event_id, snap_event_name order by source_file, file_row_number
    ) > 1
)

select
    file_row_number,
    profile,
    subject_number,
    linked_click_id,
    is_of_crowd,
    snap_event_name,
    conversion_type,
    consent_state = 'limited' or (consent_state is null and unknown_consent = 'limited') as limited_use,
    has_unread_consent,
    case
        when is_forgotten then 'forgotten'
        when file_row_number in (from duplicates) then 'duplicate_id'
        when call_type in ('identify', 'group', 'alias') then 'internal'
        when coalesce(call_type, 'track') not in ('page', 'screen') and folded in (select folded from internal_events)
            then 'internal'
        when snap_event_name is null and is_mapped then 'mapped_to_nothing'
        when snap_event_name is null then 'no_event_name'
        when not has_time then 'no_timestamp'
        when event_time is null then 'unreadable_timestamp'
        when event_time > getvariable('hour_end') + interval 10 minutes then 'future_timestamp'
        when
            unmapped_events = 'exclude' and not is_mapped and coalesce(call_type, 'track') not in ('page', 'screen')
            then 'unmapped'
        when is_incomplete_order and snap_event_name <> 'PAGE_VIEW' then 'order_not_completed'
        when consent_state = 'denied' then 'consent_denied'
        when consent_state is null and unknown_consent = 'exclude' then 'consent_unknown'
    end as reason
from classified
order by file_row_number

-- The verdict on every raw event of the hour, in their order: its Snap event name, its conversion type and its
-- exclusion reason, which is null for a conversion. Reads `raw_events` (with file_row_number), `linked_events`,
-- `event_names`, `internal_events`, `action_sources`, `workspaces`.
with possible_duplicates as (
    -- Few ids repeat: hashes find the candidates in little memory, the window below decides.
    select hash(workspace, event_id) as id_hash
    from raw_events
    group by all
    having count(*) > 1
),

-- The words with which events say where they happened. There are few different ones, and each is looked up once.
said as (
    select
        action_source,
        channel,
        origin,
        property_channel
    from raw_events
    where
        action_source is not null or channel is not null or origin is not null or property_channel is not null
    group by all
),

conversion_types as (
    select
        said.*,
        sources.conversion_type as of_action_source,
        channels.conversion_type as of_channel,
        origins.conversion_type as of_origin,
        property_channels.conversion_type as of_property_channel,
        -- What stands among the properties may be a marketing channel or an airport.
        list_filter(
            [
                case
                    when said.action_source is not null and sources.word is null
                        then 'action_source/' || shown_word(said.action_source)
                end,
                case
                    when said.channel is not null and channels.word is null then 'channel/' || shown_word(said.channel)
                end,
                case when said.origin is not null and origins.word is null then 'origin/' || shown_word(said.origin) end
            ],
            lambda word: word is not null
        ) as unknown_words
    from said
    left join action_sources as sources on folded_name(said.action_source) = sources.word
    left join action_sources as channels on folded_name(said.channel) = channels.word and channels.field is null
    left join action_sources as origins on folded_name(said.origin) = origins.word and origins.field is null
    left join action_sources as property_channels
        on folded_name(said.property_channel) = property_channels.word and property_channels.field is null
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
        coalesce(
            conversion_types.of_action_source,
            case when raw_events.call_type = 'screen' then 'MOBILE_APP' end,
            conversion_types.of_channel,
            -- These may be from `land --origin`, which is for events that say nothing themselves.
            case
                when raw_events.origin not in ('web', 'mobile_app', 'csv', 'cod_webhook')
                    then conversion_types.of_origin
            end,
            conversion_types.of_property_channel,
            case when raw_events.has_app_context then 'MOBILE_APP' end,
            conversion_types.of_origin,
            'WEB'
        ) as conversion_type,
        conversion_types.unknown_words
    from raw_events
    left join linked_events on raw_events.file_row_number = linked_events.file_row_number
    left join workspaces on raw_events.workspace = workspaces.name
    left join event_names
        on raw_events.workspace = event_names.workspace and folded_name(raw_events.event_name) = event_names.folded
    left join conversion_types
        on
            raw_events.action_source is not distinct from conversion_types.action_source
            and raw_events.channel is not distinct from conversion_types.channel
            and raw_events.origin is not distinct from conversion_types.origin
            and raw_events.property_channel is not distinct from conversion_types.property_channel
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
    unknown_words,
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

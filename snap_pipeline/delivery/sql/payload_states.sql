-- The delivery state of each conversion of an hour at one destination, and what decides its batch. Reads
-- `conversion_payloads` (with file_row_number), `own_receipts` and `intents` of this hour, `other_receipts` and
-- `other_intents` of hours that hold the same event, `snap_event_names`, `currencies`.
-- An event is identified by id and name, as by Snap: a checkout and a purchase may both have the id of their order.
with classified as (
    select
        file_row_number,
        event_id,
        event_name,
        conversion_type,
        event_time,
        currency,
        order_id,
        event_time + (case
            when conversion_type = 'OFFLINE' then $offline_age_days else $web_age_days
        end) * interval 1 day as expires_at,
        case
            when plaintext is not null then 'plaintext_found'
            when expires_at < $now::timestamp then 'expired'
            when conversion_type = 'MOBILE_APP' and not $has_app_id then 'no_app_id'
            when
                conversion_type = 'MOBILE_APP'
                and $needs_store_app_id
                and app_id is null
                and case is_ios when true then $ios_app_id when false then $android_app_id end::varchar is null
                then 'no_store_app_id'
            when
                em is null and ph is null
                and case when $hashes_devices then hashed_mobile_ad_id else madid end is null
                and (
                    case when $hashes_devices then hashed_ip_address else client_ip_address end is null
                    or client_user_agent is null
                )
                then 'insufficient_identifiers'
            when event_name = 'PURCHASE' and (value is null or currency is null) then 'purchase_without_value'
        end as undeliverable_reason
    from conversion_payloads
    where workspace = $workspace
),

own_answers as (
    select
        event_id,
        event_name,
        arg_max(outcome, sent_at) as outcome,
        arg_max(reason, sent_at) as reason,
        max(sent_at) as sent_at,
        { 'is_refusal': arg_max(outcome, sent_at) != 'delivered', 'sent_at': max(sent_at), 'hour': $hour } as answer
    from own_receipts
    group by event_id, event_name
),

other_answers as (
    select
        event_id,
        event_name,
        min(answer) as answer
    from (
        select
            event_id,
            event_name,
            { 'is_refusal': arg_max(outcome, sent_at) != 'delivered', 'sent_at': max(sent_at), 'hour': hour } as answer
        from other_receipts
        group by event_id, event_name, hour
    )
    group by event_id, event_name
),

in_doubt as (
    select
        classified.event_id,
        classified.event_name,
        min(sent_intents.first_sent_at) as first_sent_at
    from (
        from intents
        union all by name
        from other_intents
    ) as sent_intents
    -- Intents of older versions have no name.
    inner join classified
        on
            sent_intents.event_id = classified.event_id
            and coalesce(sent_intents.event_name, classified.event_name) = classified.event_name
    left join own_answers
        on classified.event_id = own_answers.event_id and classified.event_name = own_answers.event_name
    -- A rejected event may have been sent again since, and the answer lost.
    where
        own_answers.outcome is null
        or (own_answers.outcome = 'rejected' and sent_intents.first_sent_at > own_answers.sent_at)
    group by classified.event_id, classified.event_name
),

-- If several hours have an answer to one event, one of them is final: a delivery before a refusal, then the first. Each
-- of these hours finds the same one.
final_answers as (
    select
        own_answers.event_id,
        own_answers.event_name,
        own_answers.outcome,
        own_answers.reason
    from own_answers
    left join other_answers using (event_id, event_name)
    left join in_doubt using (event_id, event_name)
    where in_doubt.event_id is null and (other_answers.event_id is null or own_answers.answer <= other_answers.answer)
)

select
    classified.file_row_number,
    classified.event_id,
    classified.event_name,
    classified.event_time,
    classified.order_id,
    case
        when final_answers.event_id is not null then final_answers.outcome
        when other_answers.event_id is not null then 'duplicate'
        when in_doubt.event_id is not null then 'in_doubt'
        when classified.undeliverable_reason is not null then 'undeliverable'
        else 'pending'
    end as state,
    case
        when final_answers.event_id is not null then final_answers.reason
        when other_answers.event_id is null and in_doubt.event_id is null then classified.undeliverable_reason
    end as reason,
    classified.undeliverable_reason is null as is_deliverable,
    classified.expires_at,
    in_doubt.first_sent_at,
    case when classified.conversion_type = 'MOBILE_APP' then 'app' else 'pixel' end as asset,
    -- Events that Snap might refuse go in batches of their own, so that they cannot hold up the others.
    classified.event_name not in (select snap_name from snap_event_names) as has_custom_name,
    classified.currency is not null
    and classified.currency not in (
        select currency from currencies
        where accepted_by_snap
    ) as has_rare_currency
from classified
left join final_answers using (event_id, event_name)
left join other_answers using (event_id, event_name)
left join in_doubt using (event_id, event_name)

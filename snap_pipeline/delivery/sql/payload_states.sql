-- Where each conversion of an hour stands with one destination, and in which batches it would go. Reads
-- `conversion_payloads` (with file_row_number), `own_receipts` and `intents` of this hour, `other_receipts` and
-- `other_intents` of hours that hold the same event, `snap_event_names`, `currencies`.
-- An event is its id and its name, as for Snap: a checkout and a purchase may bear the id of their order.
with judged as (
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
            when conversion_type = 'MOBILE_APP' and app_id is null and $needs_store_app_id then 'no_store_app_id'
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

own as (
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

elsewhere as (
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

doubted as (
    select
        judged.event_id,
        judged.event_name,
        min(sent.first_sent_at) as first_sent_at
    from (
        from intents
        union all by name
        from other_intents
    ) as sent
    -- Intents of older versions have no name.
    inner join judged
        on sent.event_id = judged.event_id and coalesce(sent.event_name, judged.event_name) = judged.event_name
    left join own on judged.event_id = own.event_id and judged.event_name = own.event_name
    -- What was rejected may have been sent again since, and its answer lost.
    where own.outcome is null or (own.outcome = 'rejected' and sent.first_sent_at > own.sent_at)
    group by judged.event_id, judged.event_name
),

-- Of the answers that several hours have to one event, one counts: a delivery before a refusal, then the first. Each
-- of these hours comes to the same one.
counted as (
    select
        own.event_id,
        own.event_name,
        own.outcome,
        own.reason
    from own
    left join elsewhere using (event_id, event_name)
    left join doubted using (event_id, event_name)
    where doubted.event_id is null and (elsewhere.event_id is null or own.answer <= elsewhere.answer)
)


select
    judged.file_row_number,
    judged.event_id,
    judged.event_name,
    judged.event_time,
    judged.order_id,
    case
        when counted.event_id is not null then counted.outcome
        when elsewhere.event_id is not null then 'duplicate'
        when doubted.event_id is not null then 'in_doubt'
        when judged.undeliverable_reason is not null then 'undeliverable'
        else 'pending'
    end as state,
    case
        when counted.event_id is not null then counted.reason
        when elsewhere.event_id is null and doubted.event_id is null then judged.undeliverable_reason
    end as reason,
    judged.undeliverable_reason is null as is_deliverable,
    judged.expires_at,
    doubted.first_sent_at,
    case when judged.conversion_type = 'MOBILE_APP' then 'app' else 'pixel' end as asset,
    -- What Snap might refuse goes in batches of its own, so that it cannot hold up the others.
    judged.event_name not in (select snap_name from snap_event_names) as has_custom_name,
    judged.currency is not null
    and judged.currency not in (
        select currency from currencies
        where accepted_by_snap
    ) as has_rare_currency
from judged
left join counted using (event_id, event_name)
left join elsewhere using (event_id, event_name)
left join doubted using (event_id, event_name)

-- How reliably Snap answers and how late events reach it, by destination and by the hour and the day of sending.
with request_health as (
    select
        destination_id,
        if(grouping(date_trunc('hour', sent_at)) = 0, 'hour', 'day') as grain,
        coalesce(date_trunc('hour', sent_at), date_trunc('day', sent_at)) as period_start,
        any_value(workspace) as workspace,
        count(*) as requests,
        count(*) filter (where category = 'accepted') as accepted,
        count(*) filter (where category = 'refused') as refused,
        count(*) filter (where category = 'unauthorized') as unauthorized,
        count(*) filter (where category = 'forbidden') as forbidden,
        count(*) filter (where category = 'not_found') as not_found,
        count(*) filter (where category = 'too_large') as too_large,
        count(*) filter (where category = 'throttled') as throttled,
        count(*) filter (where category = 'server_error') as server_error,
        count(*) filter (where category = 'no_answer') as no_answer,
        count(*) filter (where category = 'no_connection') as no_connection,
        count(*) filter (where category = 'unreadable_answer') as unreadable_answer,
        avg(latency_ms) as latency_mean_ms,
        quantile_cont(latency_ms, [0.5, 0.95, 0.99]) as latency_quantiles_ms,
        coalesce(sum(waited_ms), 0) as throttled_ms,
        count(*) filter (where attempt > 1) as retries,
        sum(events)::bigint as events_sent,
        sum(bytes)::bigint as bytes_sent,
        max(sent_at) filter (where category != 'accepted') as latest_error_at,
        arg_max(category, sent_at) filter (where category != 'accepted') as latest_error_category,
        arg_max_null(message, sent_at) filter (where category != 'accepted') as latest_error_message
    from {{ ref("stg_delivery_requests") }}
    group by grouping sets (
        (destination_id, date_trunc('hour', sent_at)),
        (destination_id, date_trunc('day', sent_at))
    )
),

receipt_health as (
    select
        destination_id,
        if(grouping(date_trunc('hour', sent_at)) = 0, 'hour', 'day') as grain,
        coalesce(date_trunc('hour', sent_at), date_trunc('day', sent_at)) as period_start,
        any_value(workspace) as workspace,
        count(*) filter (where outcome = 'delivered') as delivered,
        count(*) filter (where outcome = 'rejected') as rejected,
        avg(lag_seconds) filter (where outcome = 'delivered') as lag_mean_seconds,
        quantile_cont(lag_seconds, 0.95) filter (where outcome = 'delivered') as lag_p95_seconds
    from {{ ref("stg_delivery_receipts") }}
    group by grouping sets (
        (destination_id, date_trunc('hour', sent_at)),
        (destination_id, date_trunc('day', sent_at))
    )
)

select
    destination_id,
    coalesce(destinations.destination_name, destination_id) as destination,
    coalesce(destinations.workspace, request_health.workspace, receipt_health.workspace) as workspace,
    grain,
    period_start,
    coalesce(request_health.requests, 0) as requests,
    coalesce(request_health.accepted, 0) as accepted,
    request_health.accepted / request_health.requests as success_rate,
    request_health.refused / request_health.requests as refused_rate,
    request_health.unauthorized / request_health.requests as unauthorized_rate,
    request_health.forbidden / request_health.requests as forbidden_rate,
    request_health.not_found / request_health.requests as not_found_rate,
    request_health.too_large / request_health.requests as too_large_rate,
    request_health.throttled / request_health.requests as throttled_rate,
    request_health.server_error / request_health.requests as server_error_rate,
    request_health.no_answer / request_health.requests as no_answer_rate,
    request_health.no_connection / request_health.requests as no_connection_rate,
    request_health.unreadable_answer / request_health.requests as unreadable_answer_rate,
    request_health.latency_mean_ms,
    request_health.latency_quantiles_ms[1] as latency_p50_ms,
    request_health.latency_quantiles_ms[2] as latency_p95_ms,
    request_health.latency_quantiles_ms[3] as latency_p99_ms,
    coalesce(request_health.throttled_ms, 0) as throttled_ms,
    coalesce(request_health.retries, 0) as retries,
    coalesce(request_health.events_sent, 0) as events_sent,
    coalesce(request_health.bytes_sent, 0) as bytes_sent,
    request_health.latest_error_at,
    request_health.latest_error_category,
    request_health.latest_error_message,
    coalesce(receipt_health.delivered, 0) as delivered,
    coalesce(receipt_health.rejected, 0) as rejected,
    receipt_health.rejected / (receipt_health.delivered + receipt_health.rejected) as rejected_rate,
    receipt_health.lag_mean_seconds,
    receipt_health.lag_p95_seconds
from request_health
full outer join receipt_health using (destination_id, grain, period_start)
left join {{ ref("stg_destinations") }} as destinations using (destination_id)
order by destination, grain, period_start

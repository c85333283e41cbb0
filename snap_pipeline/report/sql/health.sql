-- How each destination did in the days of the week that ends at $week_end, hour by hour in its last 48 hours, and what
-- it said where it failed. Reads `destination_health` and `destinations`.
with week as (
    select
        *,
        requests - accepted as failed
    from destination_health
    where period_start >= date_trunc('day', $week_end::timestamp - interval 168 hour)
),

class_rates as (
    unpivot week
    on columns('_rate$')
    into name rate_name value rate
),

class_counts as (
    select
        destination_id,
        period_start,
        regexp_replace(rate_name, '_rate$', '') as class,
        round(rate * requests)::bigint as requests
    from class_rates
    where grain = 'day' and rate > 0 and rate_name not in ('success_rate', 'rejected_rate')
),

day_classes as (
    select
        destination_id,
        period_start,
        list({ 'name': class, 'requests': requests } order by requests desc, class asc) as classes
    from class_counts
    group by all
),

week_classes as (
    select
        destination_id,
        list({ 'name': class, 'requests': requests } order by requests desc, class asc) as classes
    from (
        select
            destination_id,
            class,
            sum(requests)::bigint as requests
        from class_counts
        group by all
    )
    group by destination_id
),

days as (
    select
        destination_id,
        any_value(destination) as destination,
        any_value(workspace) as workspace,
        sum(requests)::bigint as requests,
        sum(accepted)::bigint as accepted,
        sum(delivered)::bigint as delivered,
        sum(retries)::bigint as retries,
        sum(throttled_ms) as throttled_ms,
        list({
            'day': period_start,
            'requests': requests,
            'success_rate': success_rate,
            'classes': coalesce(classes, []),
            'mean_ms': latency_mean_ms,
            'p50_ms': latency_p50_ms,
            'p95_ms': latency_p95_ms,
            'p99_ms': latency_p99_ms,
            'retries': retries,
            'throttled_ms': throttled_ms,
            'delivered': delivered,
            'rejected': rejected,
            'lag_mean_seconds': lag_mean_seconds,
            'lag_p95_seconds': lag_p95_seconds
        } order by period_start desc) as days
    from week
    left join day_classes using (destination_id, period_start)
    where grain = 'day'
    group by destination_id
),

hours as (
    select
        destination_id,
        list({
            'hour': period_start,
            'slot': 48 - datediff('hour', period_start, $week_end::timestamp),
            'requests': requests,
            'failed': failed,
            'p95_ms': latency_p95_ms
        } order by period_start) as hours
    from week
    where grain = 'hour' and period_start between $week_end::timestamp - interval 48 hour and $week_end::timestamp
    group by destination_id
),

said as (
    select
        destination_id,
        latest_error_category as class,
        latest_error_message as message,
        max(latest_error_at) as latest
    from week
    where grain = 'hour' and latest_error_at is not null
    group by all
),

errors as (
    select
        destination_id,
        list({ 'class': class, 'message': message, 'latest': latest } order by latest desc)[:5] as errors
    from said
    group by destination_id
)

select
    destination_id,
    coalesce(destinations.name, days.destination) as destination,
    coalesce(destinations.workspace, days.workspace) as workspace,
    destinations.state,
    destinations.api_version,
    coalesce(days.requests, 0) as requests,
    coalesce(days.accepted, 0) as accepted,
    days.accepted / days.requests as success_rate,
    coalesce(days.delivered, 0) as delivered,
    coalesce(days.retries, 0) as retries,
    coalesce(days.throttled_ms, 0) as throttled_ms,
    coalesce(week_classes.classes, []) as classes,
    coalesce(days.days, []) as days,
    coalesce(hours.hours, []) as hours,
    coalesce(errors.errors, []) as errors
from destinations
full outer join days using (destination_id)
left join week_classes using (destination_id)
left join hours using (destination_id)
left join errors using (destination_id)
where days.requests is not null or destinations.state != 'removed'
order by destination

-- One row a batch: its requests and the outcome of its events. Reads `requests` and `receipts` of one hour, of all its
-- destinations.
with attempts as (
    select
        destination,
        batch_id,
        any_value(workspace) as workspace,
        max(events)::bigint as events,
        max(bytes) as bytes,
        count(*) as attempts,
        min(sent_at) as first_sent_at,
        max(sent_at) as last_sent_at,
        arg_max(category, sent_at) as category,
        arg_max({ 'http_status': http_status }, sent_at).http_status as http_status,
        arg_max({ 'message': message }, sent_at).message as message,
        sum(waited_ms) as waited_ms,
        arg_max({ 'latency_ms': latency_ms }, sent_at).latency_ms as latency_ms
    from requests
    group by destination, batch_id
),

outcomes as (
    select
        destination,
        batch_id,
        count(*) filter (where outcome = 'delivered') as delivered,
        count(*) filter (where outcome = 'rejected') as rejected,
        max(acknowledged_at) as acknowledged_at
    from (select distinct
        destination,
        batch_id,
        event_id,
        event_name,
        outcome,
        acknowledged_at
    from receipts)
    group by destination, batch_id
)

select
    destination as destination_id,
    attempts.* exclude (destination),
    coalesce(outcomes.delivered, 0) as delivered,
    coalesce(outcomes.rejected, 0) as rejected,
    outcomes.acknowledged_at
from attempts
left join outcomes using (destination, batch_id)
order by first_sent_at, batch_id

-- The tables that the marts read, as the pipeline leaves them: every hour from $first_hour to before $running_hour, two
-- destinations, $events conversions an hour, of which one in a hundred is rejected, and ten requests an hour and
-- destination.
create table hours as
select
    hour,
    strftime(hour, '%Y-%m-%dT%H') as key
from
    generate_series($first_hour::timestamp, $running_hour::timestamp - interval 1 hour, interval 1 hour)
        as series (hour);

create table destinations as
select
    'd' || number as destination_id,
    'pixel ' || number as name,
    'default' as workspace,
    'v3' as api_version,
    'live' as state,
    (select min(key) from hours) as since
from range(1, 3) as numbers (number);

create table events as
select
    event_name,
    conversion_type
from
    unnest([
        'PAGE_VIEW',
        'VIEW_CONTENT',
        'LIST_VIEW',
        'SEARCH',
        'ADD_CART',
        'ADD_TO_WISHLIST',
        'START_CHECKOUT',
        'ADD_BILLING',
        'PURCHASE', 'SIGN_UP', 'LOGIN', 'SUBSCRIBE', 'SIZE_GUIDE_OPENED'
    ]) as names (event_name)
cross join unnest(['WEB', 'MOBILE_APP']) as types (conversion_type);

create table parameter_completeness as
select
    hours.key as hour,
    'default' as workspace,
    events.event_name,
    events.conversion_type,
    parameters.parameter,
    $events // 26 as events,
    hash(hours.key, events.event_name, parameters.parameter) % ($events // 26 + 1) as present
from hours
cross join events
cross join unnest([
    'sc_click_id', 'em', 'ph', 'ip_and_user_agent', 'client_ip_address', 'client_user_agent', 'external_id',
    'sc_cookie1', 'fn', 'ln', 'ge', 'ct', 'st', 'zp', 'country', 'madid', 'idfv', 'value', 'currency', 'content_ids',
    'order_id'
]) as parameters (parameter);

create table delivery_requests as
select
    hours.key as hour,
    destinations.destination_id as destination,
    md5(hours.key || destination || number) as request_id,
    md5(hours.key || destination || number // 2) as batch_id,
    'default' as workspace,
    (number % 2 + 1)::integer as attempt,
    ($events // 10)::integer as events,
    ($events // 10 * 900)::bigint as bytes,
    hours.hour + interval 65 minute + to_seconds(number) as sent_at,
    20.0 + hash(request_id) % 400 as latency_ms,
    (number % 2) * 500.0 as waited_ms,
    if(number % 2 = 0, 429, 200)::integer as http_status,
    if(number % 2 = 0, 'throttled', 'accepted') as category,
    if(number % 2 = 0, 'Too many requests', null) as message
from hours
cross join destinations
cross join range(10) as numbers (number);

create table delivery_receipts as
select
    hours.key as hour,
    destinations.destination_id as destination,
    md5(hours.key || number) as event_id,
    'PURCHASE' as event_name,
    hours.hour + to_seconds(number % 3600) as event_time,
    'default' as workspace,
    md5(hours.key || number // 2000) as batch_id,
    if(number % 100 = 0, 'rejected', 'delivered') as outcome,
    if(number % 100 = 0, 400, 200)::integer as http_status,
    if(number % 100 = 0, 'bad value', null) as reason,
    hours.hour + interval 65 minute as sent_at,
    hours.hour + interval 65 minute + interval 1 second as acknowledged_at
from hours
cross join destinations
cross join range($events) as numbers (number);

create table accounting_entries as
select
    hours.key as hour,
    'default' as workspace,
    null::varchar as destination_id,
    null::varchar as destination,
    entries.entry,
    entries.reason,
    entries.events::bigint as events
from hours
cross join (
    values ('raw', null, $events + 30), ('excluded', 'internal', 20), ('excluded', 'consent_denied', 10),
    ('payloads', null, $events)
) as entries (entry, reason, events)
union all
select
    hours.key as hour,
    'default' as workspace,
    destinations.destination_id,
    destinations.name as destination,
    entries.entry,
    entries.reason,
    entries.events::bigint as events
from hours
cross join destinations
cross join (
    values ('delivered', null, $events - ceil($events / 100)), ('rejected', 'bad value', ceil($events / 100))
) as entries (entry, reason, events);

-- Offline conversions of one hour, as a shop uploads them.
select
    to_json({
        'event_id': md5($hour || '-' || i),
        'event_name': 'purchase',
        'origin': 'csv',
        'event_timestamp': strftime(
            $hour::timestamp + interval (i * 3500000 // $events) millisecond, '%Y-%m-%dT%H:%M:%S.%gZ'
        ),
        'email': 'person.' || (i % 50000) || '@example.com',
        'phone': '+44 7700 ' || lpad((i % 50000)::varchar, 6, '9'),
        'first_name': 'Zoë',
        'last_name': 'O''Neil',
        'city': 'London',
        'zip': 'SW1A 1AA',
        'country': 'gb',
        'order_id': 'o-' || $hour || '-' || i,
        'value': round(10 + i % 9000 / 100, 2),
        'currency': 'GBP',
        'item_ids': 'sku-' || (i % 900) || ';sku-' || (i % 700)
    })::varchar as line
from range($events) as events (i)

-- An hour of shop traffic at realistic width, 600 to 1,000 bytes a line, so many per cent of it with identifiers.
-- Events land a few seconds after they happened, some sooner than others: the order of lines is nearly that of time.
select
    to_json({
        'type': 'track',
        'messageId': md5(i::varchar),
        'event': (
            [
                'Page Viewed', 'Page Viewed', 'Product Viewed', 'Product Viewed', 'Product Added',
                'Product List Viewed', 'Checkout Started', 'Order Completed'
            ]
        )[1 + i % 8],
        'timestamp': strftime(
            $hour::timestamp + interval ((i * 3580000 // $events) + hash(i) % 20000) millisecond,
            '%Y-%m-%dT%H:%M:%S.%gZ'
        ),
        'sc_cookie1': md5('k' || (i % 50000)),
        'anonymousId': md5('a' || (i % 50000)),
        'userId': case when i % 100 < $identified_percent then 'user-' || (i % 50000) end,
        'context': {
            'ip': '198.51.100.' || (i % 254 + 1),
            'userAgent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_' || (i % 7)
            || ' like Mac OS X) AppleWebKit/605.1.15 (KHTML) Version/18.1 Mobile/15E148 Safari/604.1',
            'page': {
                'url': 'https://shop.example.com/products/sku-' || (i % 900)
                || '?utm_source=snapchat&utm_medium=paid&utm_campaign=autumn-26&utm_content=story-' || (i % 40)
                || if(i % 5 = 0, '&ScCid=' || md5('c' || i), ''),
                'referrer': 'https://www.snapchat.com/'
            },
            'locale': 'en-GB',
            'library': { 'name': 'analytics.js', 'version': '2.1.0' },
            'traits': case
                when i % 100 < $identified_percent
                    then {
                        'email': ' Person.' || (i % 50000) || '@Example.com',
                        'phone': '+44 7700 ' || lpad((i % 50000)::varchar, 6, '9'),
                        'firstName': (['Zoë', 'Ann', 'María José', 'Łukasz', 'Chloe', 'Jean-Luc', 'Aya'])[1 + i % 7],
                        'lastName': 'O''Neil ' || chr((65 + i % 23)::integer) || chr((97 + i % 19)::integer),
                        'gender': if(i % 2 = 0, 'Female', 'm'),
                        'address': {
                            'city': (['Los Angeles', 'San José', 'St. Paul', 'Austin', 'New York'])[1 + i % 5],
                            'state': (['CA', 'CA', 'MN', 'TX', 'NY'])[1 + i % 5],
                            'postalCode': (10000 + i % 50000)::varchar,
                            'country': 'US'
                        }
                    }
            end
        },
        'properties': {
            'order_id': 'o-' || i,
            'revenue': round(10 + i % 9000 / 100, 2),
            'currency': 'EUR',
            'category': 'Apparel',
            'product_id': if(i % 8 between 2 and 4, 'sku-' || (i % 900), null),
            'products': case
                when i % 8 > 4
                    then [
                        { 'product_id': 'sku-' || (i % 900), 'price': 19.99, 'quantity': i % 3, 'brand': 'Walk & Co' },
                        { 'product_id': 'sku-' || (i % 700), 'price': 9.5, 'quantity': 1, 'brand': 'Hatter' }
                    ]
            end
        }
    })::varchar as line
from range($events) as events (i)

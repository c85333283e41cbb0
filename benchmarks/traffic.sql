-- An hour of shop traffic at realistic width, 600 to 1,000 bytes a line, so many per cent of it with identifiers.
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
            $hour::timestamp + interval (i * 3600000 // $events) millisecond, '%Y-%m-%dT%H:%M:%S.%gZ'
        ),
        'anonymousId': md5((i % 50000)::varchar),
        'userId': case when i % 100 < $identified_percent then 'user-' || (i % 50000) end,
        'context': {
            'ip': '198.51.100.' || (i % 254 + 1),
            'userAgent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML) '
            || 'Version/18.1 Mobile/15E148 Safari/604.1',
            'page': {
                'url': 'https://shop.example.com/products/sku-' || (i % 900)
                || '?utm_source=snapchat' || if(i % 9 = 0, '&ScCid=' || md5('c' || i), ''),
                'referrer': 'https://www.snapchat.com/'
            },
            'locale': 'en-GB',
            'library': { 'name': 'analytics.js', 'version': '2.1.0' },
            'traits': case
                when i % 100 < $identified_percent
                    then {
                        'email': ' Person.' || (i % 50000) || '@Example.com',
                        'phone': '+44 7700 ' || lpad((i % 900000)::varchar, 6, '9'),
                        'firstName': 'Zoë',
                        'lastName': 'O''Neil',
                        'address': { 'city': 'Los Angeles', 'state': 'CA', 'postalCode': '90001', 'country': 'US' }
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
                        { 'product_id': 'sku-' || (i % 900), 'price': 19.99, 'quantity': i % 3, 'category': 'Shoes' },
                        { 'product_id': 'sku-' || (i % 700), 'price': 9.5, 'quantity': 1, 'category': 'Hats' }
                    ]
            end
        }
    })::varchar as line
from range($events) as events (i)

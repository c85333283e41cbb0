-- The schema of a landed line: the keys of both event formats side by side, with their types. Values of another type
-- are read as text or become null; keys that are not listed are ignored. JSON marks keys that may hold a plain value, a
-- list or an object.
select {
    -- Segment spec
    'type': 'VARCHAR',
    'event': 'VARCHAR',
    'name': 'VARCHAR',
    'messageId': 'VARCHAR',
    'timestamp': 'VARCHAR',
    'originalTimestamp': 'VARCHAR',
    'sentAt': 'VARCHAR',
    'anonymousId': 'VARCHAR',
    'userId': 'VARCHAR',
    'previousId': 'VARCHAR',
    'channel': 'VARCHAR',
    'request_ip': 'VARCHAR',
    'context': {
        'ip': 'VARCHAR',
        'userAgent': 'VARCHAR',
        'channel': 'VARCHAR',
        'locale': 'VARCHAR',
        'timezone': 'VARCHAR',
        'consent': 'JSON',
        'page': { 'url': 'VARCHAR' },
        'traits': {
            'email': 'JSON',
            'phone': 'JSON',
            'firstName': 'VARCHAR',
            'lastName': 'VARCHAR',
            'gender': 'VARCHAR',
            'address': {
                'city': 'VARCHAR', 'state': 'VARCHAR', 'postalCode': 'VARCHAR', 'country': 'VARCHAR'
            }
        },
        'device': {
            'id': 'VARCHAR',
            'advertisingId': 'VARCHAR',
            'model': 'VARCHAR',
            'type': 'VARCHAR',
            'adTrackingEnabled': 'VARCHAR'
        },
        'os': { 'name': 'VARCHAR', 'version': 'VARCHAR' },
        'app': { 'namespace': 'VARCHAR', 'version': 'VARCHAR', 'build': 'VARCHAR', 'name': 'VARCHAR' },
        'screen': { 'width': 'VARCHAR', 'height': 'VARCHAR', 'density': 'VARCHAR' },
        'network': { 'carrier': 'VARCHAR' }
    },
    'traits': {
        'email': 'JSON',
        'phone': 'JSON',
        'firstName': 'VARCHAR',
        'first_name': 'VARCHAR',
        'lastName': 'VARCHAR',
        'last_name': 'VARCHAR',
        'gender': 'VARCHAR',
        'city': 'VARCHAR',
        'state': 'VARCHAR',
        'zip': 'VARCHAR',
        'country': 'VARCHAR',
        'address': {
            'city': 'VARCHAR', 'state': 'VARCHAR', 'postalCode': 'VARCHAR', 'country': 'VARCHAR'
        }
    },
    -- a first-party events table, and the headers of an uploaded CSV
    'event_id': 'VARCHAR',
    'event_name': 'VARCHAR',
    'event_timestamp': 'VARCHAR',
    'anonymous_id': 'VARCHAR',
    'user_id': 'VARCHAR',
    'previous_id': 'VARCHAR',
    'external_id': 'JSON',
    'origin': 'VARCHAR',
    'email': 'JSON',
    'phone': 'JSON',
    'first_name': 'VARCHAR',
    'last_name': 'VARCHAR',
    'gender': 'VARCHAR',
    'city': 'VARCHAR',
    'state': 'VARCHAR',
    'zip': 'VARCHAR',
    'country': 'VARCHAR',
    'ip_address': 'VARCHAR',
    'user_agent': 'VARCHAR',
    'page_url': 'VARCHAR',
    'advertising_id': 'VARCHAR',
    'idfv': 'VARCHAR',
    'click_ids': 'JSON',
    'sc_cookie1': 'VARCHAR',
    'consent': 'JSON',
    'value': 'JSON',
    'price': 'JSON',
    'currency': 'VARCHAR',
    'order_id': 'VARCHAR',
    'transaction_id': 'VARCHAR',
    'item_ids': 'JSON',
    'number_items': 'VARCHAR',
    'item_category': 'VARCHAR',
    'brands': 'JSON',
    'status': 'VARCHAR',
    'order_status': 'VARCHAR',
    'financial_status': 'VARCHAR',
    'payment_status': 'VARCHAR',
    'test': 'VARCHAR',
    -- in both formats
    'properties': 'JSON',
    -- left by `snap-pipeline forget` in place of an event
    '_forgotten': 'VARCHAR'
} as keys

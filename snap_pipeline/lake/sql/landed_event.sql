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
        'consentManagement': 'JSON',
        'page': { 'url': 'VARCHAR', 'search': 'VARCHAR', 'referrer': 'VARCHAR' },
        'traits': {
            -- [[[cog cog.outl(blocks.trait_keys()) ]]]
            'email': 'JSON',
            'phone': 'JSON',
            'first_name': 'VARCHAR',
            'firstName': 'VARCHAR',
            'last_name': 'VARCHAR',
            'lastName': 'VARCHAR',
            'gender': 'VARCHAR',
            'city': 'VARCHAR',
            'state': 'VARCHAR',
            'zip': 'VARCHAR',
            'postal_code': 'VARCHAR',
            'postalCode': 'VARCHAR',
            'country': 'VARCHAR',
            'external_id': 'JSON',
            -- [[[end]]]
            'address': {
                -- [[[cog cog.outl(blocks.address_keys()) ]]]
                'city': 'VARCHAR',
                'state': 'VARCHAR',
                'postalCode': 'VARCHAR',
                'postal_code': 'VARCHAR',
                'zip': 'VARCHAR',
                'country': 'VARCHAR'
                -- [[[end]]]
            }
        },
        'device': {
            'id': 'VARCHAR',
            'advertisingId': 'VARCHAR',
            'model': 'VARCHAR',
            'type': 'VARCHAR',
            'adTrackingEnabled': 'VARCHAR',
            'attTrackingStatus': 'VARCHAR',
            'trackingStatus': 'VARCHAR'
        },
        'os': { 'name': 'VARCHAR', 'version': 'VARCHAR' },
        'app': { 'namespace': 'VARCHAR', 'version': 'VARCHAR', 'build': 'VARCHAR', 'name': 'VARCHAR' },
        'screen': { 'width': 'VARCHAR', 'height': 'VARCHAR', 'density': 'VARCHAR' },
        'network': { 'carrier': 'VARCHAR' }
    },
    'traits': {
        -- [[[cog cog.outl(blocks.trait_keys()) ]]]
        'email': 'JSON',
        'phone': 'JSON',
        'first_name': 'VARCHAR',
        'firstName': 'VARCHAR',
        'last_name': 'VARCHAR',
        'lastName': 'VARCHAR',
        'gender': 'VARCHAR',
        'city': 'VARCHAR',
        'state': 'VARCHAR',
        'zip': 'VARCHAR',
        'postal_code': 'VARCHAR',
        'postalCode': 'VARCHAR',
        'country': 'VARCHAR',
        'external_id': 'JSON',
        -- [[[end]]]
        'address': {
            -- [[[cog cog.outl(blocks.address_keys()) ]]]
            'city': 'VARCHAR',
            'state': 'VARCHAR',
            'postalCode': 'VARCHAR',
            'postal_code': 'VARCHAR',
            'zip': 'VARCHAR',
            'country': 'VARCHAR'
            -- [[[end]]]
        }
    },
    -- a first-party events table, and the headers of an uploaded CSV
    'event_id': 'VARCHAR',
    'event_name': 'VARCHAR',
    'event_timestamp': 'VARCHAR',
    'anonymous_id': 'VARCHAR',
    'user_id': 'VARCHAR',
    'previous_id': 'VARCHAR',
    'origin': 'VARCHAR',
    'action_source': 'VARCHAR',
    'actionSource': 'VARCHAR',
    'event_conversion_type': 'VARCHAR',
    'eventConversionType': 'VARCHAR',
    'data_processing_options': 'VARCHAR',
    'dataProcessingOptions': 'VARCHAR',
    'data_use': 'VARCHAR',
    'ip': 'VARCHAR',
    'userAgent': 'VARCHAR',
    'page_url': 'VARCHAR',
    'click_ids': 'JSON',
    'address': {
        -- [[[cog cog.outl(blocks.address_keys()) ]]]
        'city': 'VARCHAR',
        'state': 'VARCHAR',
        'postalCode': 'VARCHAR',
        'postal_code': 'VARCHAR',
        'zip': 'VARCHAR',
        'country': 'VARCHAR'
        -- [[[end]]]
    },
    -- [[[cog cog.outl(blocks.event_keys()) ]]]
    'email': 'JSON',
    'phone': 'JSON',
    'first_name': 'VARCHAR',
    'firstName': 'VARCHAR',
    'last_name': 'VARCHAR',
    'lastName': 'VARCHAR',
    'gender': 'VARCHAR',
    'city': 'VARCHAR',
    'state': 'VARCHAR',
    'zip': 'VARCHAR',
    'postal_code': 'VARCHAR',
    'postalCode': 'VARCHAR',
    'country': 'VARCHAR',
    'external_id': 'JSON',
    'sc_cookie1': 'VARCHAR',
    'ip_address': 'VARCHAR',
    'user_agent': 'VARCHAR',
    'advertising_id': 'VARCHAR',
    'idfv': 'VARCHAR',
    -- [[[end]]]
    'os_name': 'VARCHAR',
    'os_version': 'VARCHAR',
    'device_type': 'VARCHAR',
    'device_model': 'VARCHAR',
    'att_status': 'VARCHAR',
    'ad_tracking_enabled': 'VARCHAR',
    'advertiser_tracking_enabled': 'VARCHAR',
    'app_id': 'VARCHAR',
    'app_data': { 'advertiser_tracking_enabled': 'VARCHAR', 'app_id': 'VARCHAR' },
    'consent': 'JSON',
    'value': 'JSON',
    'price': 'JSON',
    'currency': 'VARCHAR',
    'order_id': 'VARCHAR',
    'transaction_id': 'VARCHAR',
    'item_ids': 'JSON',
    -- consent in columns of its own that other lines may have in objects: `flat_consent` reads all from the line
    'gpc': 'VARCHAR',
    'do_not_sell': 'VARCHAR',
    'ad_storage': 'VARCHAR',
    'ad_user_data': 'VARCHAR',
    'ad_personalization': 'VARCHAR',
    'consent_state': 'VARCHAR',
    'consentManagement': 'VARCHAR',
    'number_items': 'VARCHAR',
    'item_category': 'VARCHAR',
    'brands': 'JSON',
    'status': 'VARCHAR',
    'order_status': 'VARCHAR',
    'financial_status': 'VARCHAR',
    'payment_status': 'VARCHAR',
    'test': 'VARCHAR',
    -- in both formats
    'integrations': 'JSON',
    'properties': 'JSON',
    -- left by `snap-pipeline forget` in place of an event
    '_forgotten': 'VARCHAR'
} as keys

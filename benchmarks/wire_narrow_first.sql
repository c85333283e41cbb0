-- The same narrow event as the first version of the pipeline wrote it: an object whose nulls are merged away.
select
    due.position,
    event_id,
    json_merge_patch(
        '{}',
        to_json({
            'event_name': event_name,
            'event_time': epoch_ms(event_time),
            'action_source': conversion_type,
            'event_source_url': event_source_url,
            'event_id': event_id,
            'user_data': {
                'em': em,
                'ph': ph,
                'client_ip_address': client_ip_address,
                'client_user_agent': client_user_agent,
                'sc_click_id': sc_click_id
            },
            'custom_data': { 'value': value, 'currency': currency, 'order_id': order_id }
        })
    )::varchar as body
from conversion_payloads
inner join due using (file_row_number)

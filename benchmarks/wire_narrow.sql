-- The narrow v3 event: what an event is, and the fields that Snap matches by first. Made as wire_v3.sql makes all.
select
    due.position,
    event_id,
    '{' || concat_ws(
        ',',
        '"event_name":' || to_json(event_name),
        '"event_time":' || epoch_ms(event_time),
        '"action_source":"' || conversion_type || '"',
        '"event_source_url":' || to_json(event_source_url),
        '"event_id":' || to_json(event_id),
        '"user_data":{' || concat_ws(
            ',',
            '"em":' || to_json(em),
            '"ph":' || to_json(ph),
            '"client_ip_address":"' || client_ip_address || '"',
            '"client_user_agent":' || to_json(client_user_agent),
            '"sc_click_id":' || to_json(sc_click_id)
        ) || '}',
        '"custom_data":{' || concat_ws(
            ',',
            '"value":' || to_json(value),
            '"currency":"' || currency || '"',
            '"order_id":' || to_json(order_id)
        ) || '}'
    ) || '}' as body
from conversion_payloads
inner join due using (file_row_number)

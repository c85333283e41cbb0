-- One v2 event (reference, section 2.2) a row, as flat JSON without nulls. Each event names its own asset. Reads
-- `conversion_payloads`; `due` says which rows.
select
    event_id,
    event_name,
    event_time,
    json_merge_patch(
        '{}',
        to_json({
            'pixel_id': case when conversion_type != 'MOBILE_APP' then $pixel_id end,
            'snap_app_id': case when conversion_type = 'MOBILE_APP' then $snap_app_id end,
            'app_id': app_id,
            'event_type': event_name,
            'event_conversion_type': conversion_type,
            'timestamp': epoch_ms(event_time)::varchar,
            'event_tag': event_tag,
            'hashed_email': em[1],
            'hashed_phone_number': ph[1],
            'hashed_ip_address': hashed_ip_address,
            'user_agent': client_user_agent,
            'hashed_mobile_ad_id': hashed_mobile_ad_id,
            'hashed_idfv': hashed_idfv,
            'uuid_c1': sc_cookie1,
            'click_id': sc_click_id,
            'hashed_first_name_sha': first_name_v2,
            'hashed_last_name_sha': last_name_v2,
            'hashed_city_sha': city_v2,
            'hashed_state_sha': st,
            'hashed_zip': zp,
            'item_ids': array_to_string(content_ids, ';'),
            'item_category': content_category,
            'brands': brands,
            'number_items': num_items::varchar,
            'price': value::varchar,
            'currency': currency,
            'transaction_id': order_id,
            'client_dedup_id': event_id,
            'description': content_name,
            'search_string': search_string,
            'sign_up_method': sign_up_method,
            'page_url': event_source_url,
            'data_use': case when limited_use then '[''lmu'']' end,
            'customer_status': customer_status
        })
    )::varchar as body
from conversion_payloads
where file_row_number in (from due)

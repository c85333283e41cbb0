-- One v2 event (snap-api.md, section 2.2) a row, as flat JSON without nulls. Each event names its own asset. Reads
-- `conversion_payloads` and `due`. Members are written, and `due` is defined, as in wire_v3.sql.
select
    due.position,
    event_id,
    '{' || concat_ws(
        ',',
        case when conversion_type != 'MOBILE_APP' then '"pixel_id":' || to_json($pixel_id::varchar) end,
        case when conversion_type = 'MOBILE_APP' then '"snap_app_id":' || to_json($snap_app_id::varchar) end,
        '"app_id":' || to_json(
            coalesce(app_id, case is_ios when true then $ios_app_id when false then $android_app_id end::varchar)
        ),
        '"event_type":' || to_json(event_name),
        '"event_conversion_type":"' || conversion_type || '"',
        '"timestamp":"' || epoch_ms(event_time) || '"',
        '"event_tag":' || to_json(event_tag),
        '"hashed_email":"' || em[1] || '"',
        '"hashed_phone_number":"' || ph[1] || '"',
        '"hashed_ip_address":"' || hashed_ip_address || '"',
        '"user_agent":' || to_json(client_user_agent),
        '"hashed_mobile_ad_id":"' || hashed_mobile_ad_id || '"',
        '"hashed_idfv":"' || hashed_idfv || '"',
        '"uuid_c1":' || to_json(sc_cookie1),
        '"click_id":' || to_json(sc_click_id),
        '"hashed_first_name_sha":"' || first_name_v2 || '"',
        '"hashed_last_name_sha":"' || last_name_v2 || '"',
        '"hashed_city_sha":"' || city_v2 || '"',
        '"hashed_state_sha":"' || st || '"',
        '"hashed_zip":"' || zp || '"',
        '"item_ids":' || to_json(array_to_string(content_ids, ';')),
        '"item_category":' || to_json(content_category),
        '"brands":' || to_json(brands),
        '"number_items":"' || num_items || '"',
        '"price":"' || value || '"',
        '"currency":"' || currency || '"',
        '"transaction_id":' || to_json(order_id),
        '"client_dedup_id":' || to_json(event_id),
        '"description":' || to_json(coalesce(description, content_name)),
        '"level":' || to_json(level),
        '"country":"' || country_code || '"',
        '"region":"' || region_code || '"',
        '"search_string":' || to_json(search_string),
        '"sign_up_method":' || to_json(sign_up_method),
        '"page_url":' || to_json(event_source_url),
        case when limited_use then '"data_use":"[''lmu'']"' end,
        '"customer_status":' || to_json(customer_status),
        '"os_version":' || to_json(nullif(extinfo[5], '')),
        '"device_model":' || to_json(nullif(extinfo[6], '')),
        -- Only iOS has this permission; v3 says the same as advertiser_tracking_enabled.
        case when is_ios then '"att_status":"' || if(advertiser_tracking_enabled, 'authorized', 'denied') || '"' end
    ) || '}' as body
from conversion_payloads
inner join due using (file_row_number)

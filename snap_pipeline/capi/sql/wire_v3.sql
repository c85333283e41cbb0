-- One v3 event (snap-api.md, sections 3.2 to 3.7) a row, as JSON without nulls or empty objects. The path of the
-- request names the asset. Reads `conversion_payloads` and `due`, the rows to send: their file_row_number, and the
-- position that orders them. Payloads are the same for all destinations; a store id that an event lacks is the
-- destination's, by platform.
--
-- concat_ws() leaves nulls out, and a member with a null value is null. Values that normalization confines to digests,
-- codes, numbers or addresses are quoted as they are; to_json() escapes all others.
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
        case when limited_use then '"data_processing_options":["LMU"]' end,
        '"user_data":{' || nullif(concat_ws(
            ',',
            '"em":' || to_json(em),
            '"ph":' || to_json(ph),
            '"fn":"' || fn || '"',
            '"ln":"' || ln || '"',
            '"ge":"' || ge || '"',
            '"ct":"' || ct || '"',
            '"st":"' || st || '"',
            '"zp":"' || zp || '"',
            '"country":"' || country || '"',
            '"external_id":' || to_json(external_id),
            '"client_ip_address":"' || client_ip_address || '"',
            '"client_user_agent":' || to_json(client_user_agent),
            '"sc_click_id":' || to_json(sc_click_id),
            '"sc_cookie1":' || to_json(sc_cookie1),
            '"subscription_id":' || to_json(subscription_id),
            '"lead_id":' || to_json(lead_id),
            '"anon_id":' || to_json(anon_id),
            '"madid":"' || madid || '"',
            '"idfv":"' || idfv || '"'
        ), '') || '}',
        '"custom_data":{' || nullif(concat_ws(
            ',',
            '"value":' || to_json(value),
            '"currency":"' || currency || '"',
            '"order_id":' || to_json(order_id),
            '"contents":[' || array_to_string(
                list_transform(
                    nullif(contents, []),
                    lambda c: '{' || concat_ws(
                        ',',
                        '"id":' || to_json(c.id),
                        -- A whole number is written as one.
                        replace('"quantity":"' || c.quantity || '"', '.0"', '"'),
                        '"item_price":"' || c.item_price || '"',
                        '"brand":' || to_json(c.brand),
                        '"delivery_category":"' || c.delivery_category || '"'
                    ) || '}'
                ),
                ','
            ) || ']',
            '"content_ids":' || to_json(content_ids),
            '"content_category":' || to_json(content_category),
            '"content_name":' || to_json(content_name),
            '"content_type":"' || content_type || '"',
            '"num_items":"' || num_items || '"',
            '"brands":' || to_json(brands),
            '"search_string":' || to_json(search_string),
            '"sign_up_method":' || to_json(sign_up_method),
            '"predicted_ltv":' || to_json(predicted_ltv),
            '"status":' || to_json(status),
            '"customer_status":' || to_json(customer_status),
            '"event_tag":' || to_json(event_tag),
            travel
        ), '') || '}',
        case when conversion_type = 'MOBILE_APP' then '"app_data":{' || concat_ws(
            ',',
            '"advertiser_tracking_enabled":' || advertiser_tracking_enabled::integer,
            '"app_id":' || to_json(
                coalesce(app_id, case is_ios when true then $ios_app_id when false then $android_app_id end::varchar)
            ),
            '"extinfo":' || to_json(extinfo)
        ) || '}' end
    ) || '}' as body
from conversion_payloads
inner join due using (file_row_number)

-- One v3 event (reference, sections 3.2 to 3.7) a row, as JSON without nulls or empty objects. The path of the
-- request names the asset. Reads `conversion_payloads`; `due` says which rows.
select
    event_id,
    event_name,
    event_time,
    json_merge_patch(
        '{}',
        to_json({
            'event_name': event_name,
            'event_time': epoch_ms(event_time),
            'action_source': conversion_type,
            'event_source_url': event_source_url,
            'event_id': event_id,
            'data_processing_options': case when limited_use and conversion_type != 'MOBILE_APP' then ['LMU'] end,
            'user_data': {
                'em': em,
                'ph': ph,
                'fn': fn,
                'ln': ln,
                'ge': ge,
                'ct': ct,
                'st': st,
                'zp': zp,
                'country': country,
                'external_id': external_id,
                'client_ip_address': client_ip_address,
                'client_user_agent': client_user_agent,
                'sc_click_id': sc_click_id,
                'sc_cookie1': sc_cookie1,
                'madid': madid,
                'idfv': idfv
            },
            'custom_data': case
                when
                    coalesce(
                        value::varchar, order_id, content_category, content_name, content_type, search_string,
                        sign_up_method, predicted_ltv::varchar, status, customer_status, event_tag, num_items::varchar
                    ) is not null
                    or contents is not null or content_ids is not null or brands is not null
                    then {
                        'value': value,
                        'currency': currency,
                        'order_id': order_id,
                        'contents': list_transform(
                            nullif(contents, []),
                            lambda c: json_merge_patch(
                                '{}',
                                to_json({
                                    'id': c.id,
                                    'quantity': c.quantity::varchar,
                                    'item_price': c.item_price::varchar,
                                    'brand': c.brand,
                                    'delivery_category': c.delivery_category
                                })
                            )
                        ),
                        'content_ids': content_ids,
                        'content_category': content_category,
                        'content_name': content_name,
                        'content_type': content_type,
                        'num_items': num_items::varchar,
                        'brands': brands,
                        'search_string': search_string,
                        'sign_up_method': sign_up_method,
                        'predicted_ltv': predicted_ltv,
                        'status': status,
                        'customer_status': customer_status,
                        'event_tag': event_tag
                    }
            end,
            'app_data': case
                when conversion_type = 'MOBILE_APP'
                    then {
                        'advertiser_tracking_enabled': advertiser_tracking_enabled::integer,
                        'app_id': app_id,
                        'extinfo': extinfo
                    }
            end
        })
    )::varchar as body
from conversion_payloads
where file_row_number in (from due)

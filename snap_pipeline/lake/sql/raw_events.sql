-- Received events in canonical form, whichever format they landed in. Reads `landed_lines` (workspace, source_file,
-- line), whose lines are JSON objects. Rows keep the order in which the lines landed.
with parsed_lines as (
    select
        workspace,
        source_file,
        line,
        unnest(from_json(line, to_json(getvariable('landed_event'))::varchar))
    from landed_lines
),

recognized_fields as (
    select
        *,
        object_of(properties) as property_values,
        _forgotten = 'true' as is_forgotten,
        case
            when lower(type) in ('track', 'page', 'screen', 'identify', 'group', 'alias') then lower(type)
        end as call_type,
        coalesce(null_if_blank(event_id), null_if_blank("messageId")) as given_event_id,
        coalesce(
            null_if_blank(timestamp),
            null_if_blank(event_timestamp),
            null_if_blank("originalTimestamp"),
            null_if_blank("sentAt")
        ) as given_time,
        -- Few lines have a key for the click id, and searching every object for one costs more than everything else.
        -- A class of both cases for each letter is ten times as fast as matching without case.
        regexp_matches(line::varchar, '[sS][cC][cClL][iI][dD]\\?"') as has_click_id_key,
        coalesce(null_if_blank(page_url), null_if_blank(context.page.url)) as given_page_url,
        coalesce(
            null_if_empty_list(list_filter(
                [nonempty_object_of(consent), nonempty_object_of(context.consent)], lambda given: given is not null
            )),
            -- A consent event has the purposes among its properties.
            case
                when
                    property_values is not null
                    and regexp_matches(coalesce(event_name, event, name), '(?i)consent|cookie')
                    then [property_values]
            end
        ) as given_consents,
        least(plain_answer_of(consent), plain_answer_of(context.consent)) as plain_consent
    from parsed_lines
)

select
    workspace,
    source_file,
    -- The id is sent to Snap and stored in receipts, so it must hold no plaintext.
    coalesce(id_without_plaintext(given_event_id), sha256(line::varchar)) as event_id,
    call_type,
    coalesce(null_if_blank(event_name), null_if_blank(event), null_if_blank(name)) as event_name,
    event_timestamp(given_time) as event_time,
    given_time is not null as has_time,
    lower(coalesce(null_if_blank(channel), null_if_blank(context.channel))) as channel,
    lower(null_if_blank(origin)) as origin,
    coalesce(
        null_if_blank(action_source),
        null_if_blank("actionSource"),
        null_if_blank(event_conversion_type),
        null_if_blank("eventConversionType"),
        -- Searching for a part of the key that begins with a rare letter is the fastest.
        case
            when contains(properties, 'ource"')
                then coalesce(
                    null_if_blank(property_values ->> 'action_source'),
                    null_if_blank(property_values ->> 'actionSource')
                )
        end,
        case
            when contains(properties, 'onversion')
                then coalesce(
                    null_if_blank(property_values ->> 'event_conversion_type'),
                    null_if_blank(property_values ->> 'eventConversionType')
                )
        end
    ) as action_source,
    coalesce(
        case when contains(properties, 'hannel"') then null_if_blank(property_values ->> 'channel') end,
        case when contains(properties, 'rigin"') then null_if_blank(property_values ->> 'origin') end
    ) as property_channel,
    coalesce(null_if_blank(anonymous_id), null_if_blank("anonymousId")) as anonymous_id,
    coalesce(null_if_blank(user_id), null_if_blank("userId")) as user_id,
    coalesce(null_if_blank(previous_id), null_if_blank("previousId")) as previous_id,
    texts_of(external_id) as external_ids,
    coalesce(
        texts_of(email),
        texts_of(context.traits.email),
        texts_of(traits.email),
        case when contains(properties, '"email"') then texts_of(property_values -> 'email') end
    ) as emails,
    coalesce(
        texts_of(phone),
        texts_of(context.traits.phone),
        texts_of(traits.phone),
        case when contains(properties, '"phone"') then texts_of(property_values -> 'phone') end
    ) as phones,
    coalesce(
        null_if_blank(first_name),
        null_if_blank(context.traits."firstName"),
        null_if_blank(traits."firstName"),
        null_if_blank(traits.first_name)
    ) as first_name,
    coalesce(
        null_if_blank(last_name),
        null_if_blank(context.traits."lastName"),
        null_if_blank(traits."lastName"),
        null_if_blank(traits.last_name)
    ) as last_name,
    coalesce(null_if_blank(gender), null_if_blank(context.traits.gender), null_if_blank(traits.gender)) as gender,
    coalesce(
        null_if_blank(city),
        null_if_blank(context.traits.address.city),
        null_if_blank(traits.address.city),
        null_if_blank(traits.city)
    ) as city,
    coalesce(
        null_if_blank(state),
        null_if_blank(context.traits.address.state),
        null_if_blank(traits.address.state),
        null_if_blank(traits.state)
    ) as state,
    coalesce(
        null_if_blank(zip),
        null_if_blank(context.traits.address."postalCode"),
        null_if_blank(traits.address."postalCode"),
        null_if_blank(traits.zip)
    ) as zip,
    coalesce(
        null_if_blank(country),
        null_if_blank(context.traits.address.country),
        null_if_blank(traits.address.country),
        null_if_blank(traits.country)
    ) as country,
    coalesce(null_if_blank(ip_address), null_if_blank(context.ip), null_if_blank(request_ip)) as ip_address,
    coalesce(null_if_blank(user_agent), null_if_blank(context."userAgent")) as user_agent,
    given_page_url as page_url,
    coalesce(
        case
            when has_click_id_key
                then coalesce(
                    click_id_among(object_of(click_ids)), click_id_among(line), click_id_among(property_values)
                )
        end,
        case
            when regexp_matches(given_page_url, '[sS][cC][cClL][iI][dD]')
                then coalesce(query_parameter(given_page_url, 'sccid'), query_parameter(given_page_url, 'sclid'))
        end
    ) as sc_click_id,
    coalesce(
        null_if_blank(sc_cookie1),
        case when contains(properties, '"sc_cookie1"') then null_if_blank(property_values ->> 'sc_cookie1') end
    ) as sc_cookie1,
    coalesce(null_if_blank(advertising_id), null_if_blank(context.device."advertisingId")) as advertising_id,
    coalesce(
        null_if_blank(idfv),
        case
            when
                context.device.id is not null
                and device_platform(context.os.name, context.device.type, context."userAgent", null) = 'ios'
                then null_if_blank(context.device.id)
        end
    ) as idfv,
    coalesce(
        null_if_blank(advertiser_tracking_enabled),
        null_if_blank(ad_tracking_enabled),
        null_if_blank(app_data.advertiser_tracking_enabled),
        null_if_blank(context.device."adTrackingEnabled")
    ) as ad_tracking_enabled,
    coalesce(
        null_if_blank(att_status),
        null_if_blank(context.device."attTrackingStatus"),
        null_if_blank(context.device."trackingStatus")
    ) as att_status,
    coalesce(null_if_blank(device_model), null_if_blank(context.device.model)) as device_model,
    coalesce(null_if_blank(device_type), null_if_blank(context.device.type)) as device_type,
    coalesce(null_if_blank(os_name), null_if_blank(context.os.name)) as os_name,
    coalesce(null_if_blank(os_version), null_if_blank(context.os.version)) as os_version,
    coalesce(null_if_blank(app_id), null_if_blank(app_data.app_id)) as app_id,
    null_if_blank(context.app.namespace) as app_namespace,
    null_if_blank(context.app.version) as app_version,
    null_if_blank(context.app.build) as app_build,
    (context.app is not null or context.device is not null)
    and null_if_blank(context.page.url) is null
    and null_if_blank(page_url) is null as has_app_context,
    null_if_blank(context.locale) as locale,
    null_if_blank(context.timezone) as timezone,
    null_if_blank(context.network.carrier) as carrier,
    null_if_blank(context.screen.width) as screen_width,
    null_if_blank(context.screen.height) as screen_height,
    null_if_blank(context.screen.density) as screen_density,
    with_plain_answer(
        case when given_consents is not null then purposes_of_all(given_consents) end, plain_consent
    ) as consent,
    null_if_blank(value) as value,
    null_if_blank(currency) as currency,
    null_if_blank(order_id) as order_id,
    texts_of(item_ids) as item_ids,
    nullif(
        concat_ws(
            ' ',
            data_processing_options,
            "dataProcessingOptions",
            data_use,
            case
                when contains(integrations, 'data_')
                    then concat_ws(
                        ' ',
                        snap_integration(integrations) ->> 'data_processing_options',
                        snap_integration(integrations) ->> 'data_use'
                    )
            end
        ),
        ''
    ) as data_processing,
    property_values as properties,
    coalesce(is_forgotten, false) as is_forgotten
from recognized_fields

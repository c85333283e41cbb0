-- One received event in canonical form, whichever spelling it landed in. Reads `landed_lines` (workspace,
-- source_file, line), whose lines are JSON objects. The order of rows is the order in which the lines landed.
with keyed as (
    select
        workspace,
        source_file,
        line,
        unnest(from_json(line, to_json(getvariable('landed_event'))::varchar))
    from landed_lines
),

named as (
    select
        *,
        object_of(properties) as property_values,
        _forgotten = 'true' as is_forgotten,
        case
            when lower(type) in ('track', 'page', 'screen', 'identify', 'group', 'alias') then lower(type)
        end as call_type,
        coalesce(present(event_id), present("messageId")) as given_event_id,
        coalesce(
            present(timestamp), present(event_timestamp), present("originalTimestamp"), present("sentAt")
        ) as given_time,
        -- Few lines have a key for the click id, and to look for one in every object costs more than all else. Letters
        -- in both cases are found ten times as fast as by a match that ignores case.
        regexp_matches(line::varchar, '[sS][cC][cClL][iI][dD]\\?"') as has_click_id_key,
        coalesce(present(page_url), present(context.page.url)) as given_page_url,
        coalesce(
            filled(list_filter(
                [filled_object_of(consent), filled_object_of(context.consent)], lambda given: given is not null
            )),
            -- An event that is itself about consent has it among its properties.
            case
                when
                    property_values is not null
                    and regexp_matches(coalesce(event_name, event, name), '(?i)consent|cookie')
                    then [property_values]
            end
        ) as given_consents,
        least(plain_answer_of(consent), plain_answer_of(context.consent)) as plain_consent
    from keyed
)

select
    workspace,
    source_file,
    -- The id goes out and into receipts.
    coalesce(id_without_plaintext(given_event_id), sha256(line::varchar)) as event_id,
    call_type,
    coalesce(present(event_name), present(event), present(name)) as event_name,
    event_timestamp(given_time) as event_time,
    given_time is not null as has_time,
    lower(coalesce(present(channel), present(context.channel))) as channel,
    lower(present(origin)) as origin,
    coalesce(present(anonymous_id), present("anonymousId")) as anonymous_id,
    coalesce(present(user_id), present("userId")) as user_id,
    coalesce(present(previous_id), present("previousId")) as previous_id,
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
        present(first_name),
        present(context.traits."firstName"),
        present(traits."firstName"),
        present(traits.first_name)
    ) as first_name,
    coalesce(
        present(last_name),
        present(context.traits."lastName"),
        present(traits."lastName"),
        present(traits.last_name)
    ) as last_name,
    coalesce(present(gender), present(context.traits.gender), present(traits.gender)) as gender,
    coalesce(
        present(city), present(context.traits.address.city), present(traits.address.city), present(traits.city)
    ) as city,
    coalesce(
        present(state),
        present(context.traits.address.state),
        present(traits.address.state),
        present(traits.state)
    ) as state,
    coalesce(
        present(zip),
        present(context.traits.address."postalCode"),
        present(traits.address."postalCode"),
        present(traits.zip)
    ) as zip,
    coalesce(
        present(country),
        present(context.traits.address.country),
        present(traits.address.country),
        present(traits.country)
    ) as country,
    coalesce(present(ip_address), present(context.ip), present(request_ip)) as ip_address,
    coalesce(present(user_agent), present(context."userAgent")) as user_agent,
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
        present(sc_cookie1),
        case when contains(properties, '"sc_cookie1"') then present(property_values ->> 'sc_cookie1') end
    ) as sc_cookie1,
    coalesce(present(advertising_id), present(context.device."advertisingId")) as advertising_id,
    coalesce(
        present(idfv), case when lower(context.os.name) in ('ios', 'ipados', 'tvos') then present(context.device.id) end
    ) as idfv,
    present(context.device."adTrackingEnabled") as ad_tracking_enabled,
    present(context.device.model) as device_model,
    coalesce(present(context.os.name), present(context.device.type)) as os_name,
    present(context.os.version) as os_version,
    present(context.app.namespace) as app_namespace,
    present(context.app.version) as app_version,
    present(context.app.build) as app_build,
    context.app is not null or context.device is not null as has_app_context,
    present(context.locale) as locale,
    present(context.timezone) as timezone,
    present(context.network.carrier) as carrier,
    present(context.screen.width) as screen_width,
    present(context.screen.height) as screen_height,
    present(context.screen.density) as screen_density,
    with_plain_answer(
        case when given_consents is not null then purposes_of_all(given_consents) end, plain_consent
    ) as consent,
    present(value) as value,
    present(currency) as currency,
    present(order_id) as order_id,
    texts_of(item_ids) as item_ids,
    property_values as properties,
    coalesce(is_forgotten, false) as is_forgotten
from named

-- Received events in canonical form, whichever format they landed in. Reads `landed_lines` (workspace, source_file,
-- line), whose lines are JSON objects. Rows keep the order in which the lines landed.
with parsed_lines as (
    select
        workspace,
        source_file,
        line,
        -- Most lines have the usual names in the usual places. Only others are searched for all names, which costs more
        -- than everything else.
        has_other_name(line) as has_other_name,
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
        nullif(
            concat_ws(
                ',',
                consent,
                context.consent,
                context."consentManagement",
                -- A consent event has the purposes among its properties; other events have keys that name consent.
                case
                    when
                        property_values is not null
                        and regexp_matches(coalesce(event_name, event, name), '(?i)consent|cookie')
                        then property_values
                    -- `has_other_name` knows the names of consent strings, which may be among the properties too.
                    when
                        has_other_name
                        or contains(properties, 'onsent')
                        or contains(properties, 'CONSENT')
                        or contains(properties, 'd_storage')
                        then nullif(flat_consent(property_values), '{}')
                end,
                case
                    when
                        has_other_name
                        or concat(
                            ad_storage, ad_user_data, ad_personalization, gpc, do_not_sell, consent_state,
                            "consentManagement"
                        ) != ''
                        then nullif(flat_consent(line), '{}')
                end
            ),
            ''
        ) as given_consents
    from parsed_lines
),

with_words as (
    select
        *,
        case
            when
                has_other_name
                or has_match_field(property_values)
                or coalesce(
                    -- [[[cog cog.outl(blocks.unusual_places()) ]]]
                    address,
                    "firstName",
                    "lastName",
                    "postalCode",
                    traits.first_name,
                    traits.last_name,
                    traits.city,
                    traits.state,
                    traits.zip,
                    traits.country,
                    traits.external_id,
                    traits.address.zip,
                    context.traits.first_name,
                    context.traits.last_name,
                    context.traits.city,
                    context.traits.state,
                    context.traits.zip,
                    context.traits.country,
                    context.traits.external_id,
                    context.traits.address.zip
                    -- [[[end]]]
                ) is not null
                then match_words_of_line(line, property_values, object_of(click_ids))
        end as words,
        map_extract_value(getvariable('event_id_properties'), workspace) as event_id_property
    from recognized_fields
),

spelled_fields as (
    select
        *,
        case when words is not null then match_fields_of(words) end as spelled,
        -- The event's id under the name that the workspace gives it.
        case
            when event_id_property is not null
                then coalesce(nullif(line ->> event_id_property, ''), property_values ->> event_id_property)
        end as named_event_id,
        case when contains(property_values, '"url"') then null_if_blank(property_values ->> 'url') end as property_url
    from with_words
),

placed_fields as (
    select
        *,
        traits is not null as has_traits,
        -- Traits of the context with another e-mail address are another person's.
        context.traits is not null
        and (
            lower(coalesce(spelled.emails, email, traits.email)::varchar) != lower(context.traits.email::varchar)
        ) is not true as has_context_traits
    from spelled_fields
),

located_fields as (
    select
        *,
        -- [[[cog cog.outl(blocks.given_external_ids()) ]]]
        coalesce(
            case when words is not null then texts_of(spelled.external_ids) end,
            texts_of(external_id)
        ) as given_external_ids,
        -- [[[end]]]
        -- The page before the address among the properties: of a product's event, that is the product's page.
        coalesce(
            null_if_blank(page_url),
            null_if_blank(spelled.page_url),
            null_if_blank(context.page.url),
            property_url
        ) as given_page_url
    from placed_fields
),

identified_fields as (
    select
        *,
        -- All ids in one text, so that one expression finds those that stand for nobody.
        placeholders_among(
            concat_ws(
                id_separator(),
                anonymous_id,
                "anonymousId",
                user_id,
                "userId",
                previous_id,
                "previousId",
                order_id,
                transaction_id,
                named_event_id,
                spelled.client_dedup_id,
                external_id ->> '$',
                array_to_string(given_external_ids, id_separator())
            )
        ) as placeholders
    from located_fields
)

select
    workspace,
    source_file,
    -- The id is sent to Snap and stored in receipts, so it must hold no plaintext.
    coalesce(
        id_without_plaintext(
            -- One that stands for nothing would make duplicates of all events that have it.
            coalesce(
                real_id(named_event_id, placeholders), real_id(spelled.client_dedup_id, placeholders), given_event_id
            )
        ),
        sha256(line::varchar)
    ) as event_id,
    call_type,
    coalesce(null_if_blank(event_name), null_if_blank(event), null_if_blank(name)) as event_name,
    coalesce(
        event_timestamp(given_time),
        -- Computed for the rows alone whose first time cannot be read.
        list_filter(
            list_transform(
                [event_timestamp, "originalTimestamp", "sentAt"], lambda given: event_timestamp(null_if_blank(given))
            ),
            lambda instant: instant is not null
        )[1]
    ) as event_time,
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
    coalesce(real_id(anonymous_id, placeholders), real_id("anonymousId", placeholders)) as anonymous_id,
    coalesce(real_id(user_id, placeholders), real_id("userId", placeholders)) as user_id,
    coalesce(real_id(previous_id, placeholders), real_id("previousId", placeholders)) as previous_id,
    case
        when placeholders = [] then given_external_ids
        else nullif(list_filter(given_external_ids, lambda id: not list_contains(placeholders, id)), [])
    end as external_ids,
    -- [[[cog cog.outl(blocks.landed_columns()) ]]]
    coalesce(
        case when words is not null then texts_of(spelled.emails) end,
        texts_of(email),
        case when has_traits then texts_of(traits.email) end,
        case when has_context_traits then texts_of(context.traits.email) end
    ) as emails,
    coalesce(
        case when words is not null then texts_of(spelled.phones) end,
        texts_of(phone),
        case when has_traits then texts_of(traits.phone) end,
        case when has_context_traits then texts_of(context.traits.phone) end
    ) as phones,
    coalesce(
        case when words is not null then single_text(spelled.first_name) end,
        single_text(first_name),
        case when has_traits then single_text(traits."firstName") end,
        case when has_context_traits then single_text(context.traits."firstName") end
    ) as first_name,
    coalesce(
        case when words is not null then single_text(spelled.last_name) end,
        single_text(last_name),
        case when has_traits then single_text(traits."lastName") end,
        case when has_context_traits then single_text(context.traits."lastName") end
    ) as last_name,
    coalesce(
        case when words is not null then single_text(spelled.gender) end,
        single_text(gender),
        case when has_traits then single_text(traits.gender) end,
        case when has_context_traits then single_text(context.traits.gender) end
    ) as gender,
    coalesce(
        case when words is not null then single_text(spelled.city) end,
        single_text(city),
        case when has_traits then single_text(traits.address.city) end,
        case when has_context_traits then single_text(context.traits.address.city) end
    ) as city,
    coalesce(
        case when words is not null then single_text(spelled.state) end,
        single_text(state),
        case when has_traits then single_text(traits.address.state) end,
        case when has_context_traits then single_text(context.traits.address.state) end
    ) as state,
    coalesce(
        case when words is not null then single_text(spelled.zip) end,
        single_text(zip),
        case when has_traits then single_text(traits.address."postalCode") end,
        case when has_context_traits then single_text(context.traits.address."postalCode") end
    ) as zip,
    coalesce(
        case when words is not null then single_text(spelled.country) end,
        single_text(country),
        case when has_traits then single_text(traits.address.country) end,
        case when has_context_traits then single_text(context.traits.address.country) end
    ) as country,
    coalesce(
        spelled.sc_cookie1,
        null_if_blank(sc_cookie1)
    ) as sc_cookie1,
    coalesce(
        spelled.ip_address,
        null_if_blank(ip_address),
        null_if_blank(context.ip),
        null_if_blank(request_ip),
        null_if_blank(ip)
    ) as ip_address,
    coalesce(
        spelled.user_agent,
        null_if_blank(user_agent),
        null_if_blank(context."userAgent"),
        null_if_blank("userAgent")
    ) as user_agent,
    coalesce(
        spelled.advertising_id,
        null_if_blank(advertising_id),
        null_if_blank(context.device."advertisingId")
    ) as advertising_id,
    spelled.subscription_id as subscription_id,
    spelled.lead_id as lead_id,
    spelled.anon_id as anon_id,
    -- [[[end]]]
    coalesce(
        spelled.idfv,
        null_if_blank(idfv),
        case
            when
                context.device.id is not null
                and device_platform(context.os.name, context.device.type, context."userAgent", null) = 'ios'
                then null_if_blank(context.device.id)
        end
    ) as idfv,
    given_page_url as page_url,
    coalesce(
        case when words is not null then click_id_among(words) end,
        case
            when
                regexp_matches(
                    concat_ws(' ', given_page_url, property_url, context.page.search, context.page.referrer),
                    '[sS][cC][cClL][iI][dD]'
                )
                then click_id_in([given_page_url, '?' || context.page.search, property_url, context.page.referrer])
        end
    ) as sc_click_id,
    stricter_tracking(
        stricter_tracking(advertiser_tracking_enabled, ad_tracking_enabled),
        stricter_tracking(app_data.advertiser_tracking_enabled, context.device."adTrackingEnabled")
    ) as ad_tracking_enabled,
    stricter_att_status(
        stricter_att_status(att_status, context.device."attTrackingStatus"), context.device."trackingStatus"
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
    case when given_consents is not null then canonical_consent('[' || given_consents || ']') end as consent,
    -- As JSON writes them: "1.299" in quotes may be more than a thousand, the number 1.299 is not.
    case when null_if_blank(value ->> '$') is not null then value::varchar end as value,
    case when null_if_blank(price ->> '$') is not null then price::varchar end as price,
    null_if_blank(quantity) as quantity,
    null_if_blank(currency) as currency,
    coalesce(real_id(order_id, placeholders), real_id(transaction_id, placeholders)) as order_id,
    case when item_ids is not null then texts_listed(item_ids) end as item_ids,
    null_if_blank(number_items) as number_items,
    null_if_blank(item_category) as item_category,
    case when brands is not null then texts_listed(brands) end as brands,
    case
        when coalesce(status, order_status, financial_status, payment_status, test) is not null
            then [
                status, order_status, financial_status, payment_status,
                case when is_affirmed(test) then 'test' end
            ]
    end as order_statuses,
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
    -- The kinds of ids that stood for nobody.
    case
        when placeholders != []
            then list_filter(
                [
                    case when list_has_any(placeholders, [anonymous_id, "anonymousId"]) then 'anonymous_id' end,
                    case when list_has_any(placeholders, [user_id, "userId"]) then 'user_id' end,
                    case when list_has_any(placeholders, [previous_id, "previousId"]) then 'previous_id' end,
                    case
                        when list_has_any(placeholders, list_append(given_external_ids, external_id ->> '$'))
                            then 'external_id'
                    end,
                    case when list_has_any(placeholders, [order_id, transaction_id]) then 'order_id' end,
                    case
                        when list_has_any(placeholders, [named_event_id, spelled.client_dedup_id]) then 'event_id'
                    end
                ],
                lambda kind: kind is not null
            )
    end as placeholder_ids,
    coalesce(is_forgotten, false) as is_forgotten
from identified_fields

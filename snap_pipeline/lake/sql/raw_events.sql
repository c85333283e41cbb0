-- Received events in canonical form, whichever format they landed in. Reads `landed_lines` (workspace, source_file,
-- line), whose lines are JSON objects. Rows keep the order in which the lines landed.
with searched_lines as (
    select
        workspace,
        source_file,
        line as landed_line,
        -- Most lines have the usual names in the usual places, and no blank texts. Only others are read with more care,
        -- which costs more than everything else.
        is_unusual(line) as is_unusual
    from landed_lines
),

filled_lines as (
    select
        * exclude (is_unusual),
        coalesce(is_unusual and has_other_name(landed_line), false) as has_other_name,
        -- From here on, no value is a blank text.
        case when is_unusual then without_blank_texts(landed_line::varchar) else landed_line::varchar end as line
    from searched_lines
),

parsed_lines as (
    select
        *,
        unnest(from_json(line, to_json(getvariable('landed_event'))::varchar))
    from filled_lines
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
            timestamp,
            event_timestamp,
            "originalTimestamp",
            "sentAt"
        ) as given_time,
        nullif(
            array_to_string(
                list_concat(
                    [
                        consent,
                        context.consent,
                        context."consentManagement",
                        -- A consent event has the purposes among its properties.
                        case
                            when regexp_matches(coalesce(event_name, event, name), '(?i)consent|cookie')
                                then property_values
                        end
                    ],
                    -- Other events have keys that name consent. `has_other_name` knows the names of consent strings.
                    list_transform(
                        [
                            case
                                when
                                    has_other_name
                                    or contains(properties, 'onsent')
                                    or contains(properties, 'CONSENT')
                                    or contains(properties, 'd_storage')
                                    then property_values
                            end,
                            case
                                when
                                    has_other_name
                                    or concat(
                                        ad_storage, ad_user_data, ad_personalization, gpc, do_not_sell, consent_state,
                                        "consentManagement"
                                    ) != ''
                                    then line
                            end
                        ],
                        lambda object: nullif(flat_consent(object), '{}')
                    )
                ),
                ','
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
                then coalesce(line ->> event_id_property, property_values ->> event_id_property)
        end as named_event_id,
        case when contains(property_values, '"url"') then property_values ->> 'url' end as property_url
    from with_words
),

placed_fields as (
    select
        *,
        -- Traits of the context with another e-mail address are another person's. Words leave those out already.
        case
            when context.traits is not null
                then (lower(coalesce(email, traits.email)::varchar) != lower(context.traits.email::varchar)) is not true
        end as has_context_traits
    from spelled_fields
),

located_fields as (
    select
        *,
        -- [[[cog cog.outl(blocks.given_external_ids()) ]]]
        texts_of(
            case
                when words is not null then spelled.external_ids
                else external_id
            end
        ) as given_external_ids,
        -- [[[end]]]
        -- The page before the address among the properties: of a product's event, that is the product's page.
        coalesce(
            page_url,
            spelled.page_url,
            context.page.url,
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
        sha256(landed_line::varchar)
    ) as event_id,
    call_type,
    coalesce(event_name, event, name) as event_name,
    coalesce(
        event_timestamp(given_time),
        -- Computed for the rows alone whose first time cannot be read.
        list_filter(
            list_transform(
                [event_timestamp, "originalTimestamp", "sentAt"], lambda given: event_timestamp(given)
            ),
            lambda instant: instant is not null
        )[1]
    ) as event_time,
    given_time is not null as has_time,
    lower(coalesce(channel, context.channel)) as channel,
    lower(origin) as origin,
    coalesce(
        action_source,
        "actionSource",
        event_conversion_type,
        "eventConversionType",
        -- Searching for a part of the key that begins with a rare letter is the fastest.
        case
            when contains(properties, 'ource"')
                then coalesce(
                    property_values ->> 'action_source',
                    property_values ->> 'actionSource'
                )
        end,
        case
            when contains(properties, 'onversion')
                then coalesce(
                    property_values ->> 'event_conversion_type',
                    property_values ->> 'eventConversionType'
                )
        end
    ) as action_source,
    coalesce(
        case when contains(properties, 'hannel"') then property_values ->> 'channel' end,
        case when contains(properties, 'rigin"') then property_values ->> 'origin' end
    ) as property_channel,
    coalesce(real_id(anonymous_id, placeholders), real_id("anonymousId", placeholders)) as anonymous_id,
    coalesce(real_id(user_id, placeholders), real_id("userId", placeholders)) as user_id,
    coalesce(real_id(previous_id, placeholders), real_id("previousId", placeholders)) as previous_id,
    case
        when placeholders = [] then given_external_ids
        else nullif(list_filter(given_external_ids, lambda id: not list_contains(placeholders, id)), [])
    end as external_ids,
    -- [[[cog cog.outl(blocks.landed_columns()) ]]]
    texts_of(
        case
            when words is not null then spelled.emails
            else coalesce(
                email,
                traits.email,
                case when has_context_traits then context.traits.email end
            )
        end
    ) as emails,
    texts_of(
        case
            when words is not null then spelled.phones
            else coalesce(
                phone,
                traits.phone,
                case when has_context_traits then context.traits.phone end
            )
        end
    ) as phones,
    case
        when words is not null then spelled.first_name
        else coalesce(
            first_name,
            traits."firstName",
            case when has_context_traits then context.traits."firstName" end
        )
    end as first_name,
    case
        when words is not null then spelled.last_name
        else coalesce(
            last_name,
            traits."lastName",
            case when has_context_traits then context.traits."lastName" end
        )
    end as last_name,
    case
        when words is not null then spelled.gender
        else coalesce(
            gender,
            traits.gender,
            case when has_context_traits then context.traits.gender end
        )
    end as gender,
    case
        when words is not null then spelled.city
        else coalesce(
            city,
            traits.address.city,
            case when has_context_traits then context.traits.address.city end
        )
    end as city,
    case
        when words is not null then spelled.state
        else coalesce(
            state,
            traits.address.state,
            case when has_context_traits then context.traits.address.state end
        )
    end as state,
    case
        when words is not null then spelled.zip
        else coalesce(
            zip,
            traits.address."postalCode",
            case when has_context_traits then context.traits.address."postalCode" end
        )
    end as zip,
    case
        when words is not null then spelled.country
        else coalesce(
            country,
            traits.address.country,
            case when has_context_traits then context.traits.address.country end
        )
    end as country,
    coalesce(spelled.sc_cookie1, sc_cookie1) as sc_cookie1,
    coalesce(spelled.ip_address, ip_address, context.ip, request_ip, ip) as ip_address,
    coalesce(spelled.user_agent, user_agent, context."userAgent", "userAgent") as user_agent,
    coalesce(spelled.advertising_id, advertising_id, context.device."advertisingId") as advertising_id,
    spelled.subscription_id as subscription_id,
    spelled.lead_id as lead_id,
    spelled.anon_id as anon_id,
    -- [[[end]]]
    coalesce(
        spelled.idfv,
        idfv,
        case
            when
                context.device.id is not null
                and device_platform(context.os.name, context.device.type, context."userAgent", null) = 'ios'
                then context.device.id
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
    strictest_tracking(
        [
            advertiser_tracking_enabled,
            ad_tracking_enabled,
            app_data.advertiser_tracking_enabled,
            context.device."adTrackingEnabled"
        ]
    ) as ad_tracking_enabled,
    strictest_att_status(
        [att_status, context.device."attTrackingStatus", context.device."trackingStatus"]
    ) as att_status,
    coalesce(device_model, context.device.model) as device_model,
    coalesce(device_type, context.device.type) as device_type,
    coalesce(os_name, context.os.name) as os_name,
    coalesce(os_version, context.os.version) as os_version,
    coalesce(app_id, app_data.app_id) as app_id,
    context.app.namespace as app_namespace,
    context.app.version as app_version,
    context.app.build as app_build,
    (context.app is not null or context.device is not null)
    and context.page.url is null
    and page_url is null as has_app_context,
    context.locale as locale,
    context.timezone as timezone,
    context.network.carrier as carrier,
    context.screen.width as screen_width,
    context.screen.height as screen_height,
    context.screen.density as screen_density,
    case when given_consents is not null then canonical_consent('[' || given_consents || ']') end as consent,
    -- As JSON writes them: "1.299" in quotes may be more than a thousand, the number 1.299 is not.
    case when value ->> '$' is not null then value::varchar end as value,
    case when price ->> '$' is not null then price::varchar end as price,
    quantity as quantity,
    currency as currency,
    coalesce(real_id(order_id, placeholders), real_id(transaction_id, placeholders)) as order_id,
    case when item_ids is not null then texts_listed(item_ids) end as item_ids,
    number_items as number_items,
    item_category as item_category,
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

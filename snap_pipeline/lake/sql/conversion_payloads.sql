-- Conversions, enriched, normalized and hashed: everything that either version of the API can use, as typed columns,
-- independent of destinations. No plaintext e-mail or phone from here on. Reads `baskets` and keeps their order,
-- which is why there is no join. Rules of normalization: macros/; fields: snap-api.md, sections 2 to 4. `linked`
-- lists the parameters that were taken from other events of the person.
with priced as (
    select
        *,
        case
            when given_value is not null
                then coalesce(plain_value, case when read_amounts[1] >= 0 then double_of(read_amounts[1]) end)
            when line_sum between 0 and 999999999999999 then double_of(line_sum)
        end as amount,
        country_code(country) as country_code,
        ip_address(ip_address) as client_ip_address,
        advertising_id(advertising_id) as madid_normalized,
        advertising_id(idfv) as idfv_normalized,
        in_order_once(
            coalesce(
                null_if_empty_list(list_filter(list_transform(items, lambda i: i.id), lambda id: id is not null)),
                -- Guarded by `case`: list functions take as long for a chunk of rows that are all null.
                case when item_ids is not null then item_ids_of(item_ids) end,
                case
                    when coalesce(property.content_ids, property.item_ids) is not null
                        then item_ids_of(texts_listed(coalesce(nullif(property.content_ids, '[]'), property.item_ids)))
                end
            )
        ) as unique_item_ids,
        coalesce(external_ids, case when user_id is not null then [user_id] end) as given_external_ids,
        hashed_emails(emails) as em,
        case when is_trip(properties) then travel_of(properties) end as given_travel
    from devices
),

located as (
    select
        *,
        phone_origin(country_code, workspace_settings.default_calling_code) as phone_origin
    from priced
),

-- In a CTE of its own: DuckDB plans an expression anew for every reuse of its name in the same select list.
hashed as (
    select
        * rename (country as landed_country),
        hashed_phones(phones, phone_origin) as ph,
        -- [[[cog cog.outl(blocks.hashed_columns()) ]]]
        hashed_name(first_name) as fn,
        hashed_name(last_name) as ln,
        hashed_gender(gender) as ge,
        hashed_city(city) as ct,
        hashed_state(state, country_code) as st,
        hashed_zip(zip, country_code) as zp,
        coalesce(given_digest(country), sha256(country_code)) as country,
        -- [[[end]]]
        coalesce(limited_use, false) or coalesce(asks_for_limited_use, false) as is_limited_use
    from located
),

parameters as (
    select
        workspace,
        event_id,
        snap_event_name as event_name,
        conversion_type,
        event_time,
        coalesce(
            page_url_without_identifiers(page_url),
            case when conversion_type = 'WEB' then workspace_settings.site_url end
        ) as event_source_url,
        property.event_tag as event_tag,
        is_limited_use as limited_use,
        -- user_data
        in_order_once(em) as em,
        in_order_once(ph) as ph,
        -- [[[cog cog.outl(blocks.hashed_names()) ]]]
        fn,
        ln,
        ge,
        ct,
        st,
        zp,
        country,
        -- [[[end]]]
        external_ids_of(given_external_ids, ph, phones, phone_origin) as external_id,
        client_ip_address,
        user_agent(hashed.user_agent) as client_user_agent,
        nullif(sc_click_id, '') as sc_click_id,
        nullif(sc_cookie1, '') as sc_cookie1,
        subscription_id,
        lead_id,
        case when conversion_type = 'MOBILE_APP' then anon_id end as anon_id,
        case when conversion_type = 'MOBILE_APP' then madid_normalized end as madid,
        case when conversion_type = 'MOBILE_APP' then idfv_normalized end as idfv,
        -- values that version 2 hashes differently
        -- [[[cog cog.outl(blocks.hashed_v2_columns()) ]]]
        hashed_name_v2(first_name) as first_name_v2,
        hashed_name_v2(last_name) as last_name_v2,
        hashed_city_v2(city) as city_v2,
        -- [[[end]]]
        coalesce(given_digest(hashed.ip_address), sha256(client_ip_address)) as hashed_ip_address,
        case
            when
                conversion_type = 'MOBILE_APP'
                then coalesce(given_digest(hashed.advertising_id), sha256(madid_normalized))
        end as hashed_mobile_ad_id,
        case
            when conversion_type = 'MOBILE_APP' then coalesce(given_digest(hashed.idfv), sha256(idfv_normalized))
        end as hashed_idfv,
        -- custom_data
        amount as value,
        case when amount is not null then known_currency end as currency,
        coalesce(
            order_id,
            real_id(property.order_id, placeholder_orders),
            real_id(property."orderId", placeholder_orders),
            real_id(property.transaction_id, placeholder_orders),
            case
                when shop is not null
                    then coalesce(
                        real_id(shop.transaction_id, placeholder_orders),
                        real_id(shop."actionField".id, placeholder_orders)
                    )
            end
        ) as order_id,
        list_transform(
            list_filter(items, lambda i: i.id is not null),
            lambda i: {
                'id': i.id,
                'quantity': abs(i.quantity)::double,
                'item_price': abs(i.item_price)::double,
                'brand': i.brand,
                'delivery_category': i.delivery_category
            }
        ) as contents,
        unique_item_ids as content_ids,
        coalesce(
            property.content_category,
            property.category,
            coalesce(property.item_category, hashed.item_category),
            list_aggregate(
                in_order_once(list_filter(list_transform(items, lambda i: i.category), lambda c: c is not null)),
                'string_agg',
                ';'
            )
        ) as content_category,
        coalesce(
            property.content_name,
            case when len(items) = 1 and property.product_id is not null then property.name end
        ) as content_name,
        case when lower(property.content_type) in ('product', 'product_group') then lower(property.content_type) end
            as content_type,
        coalesce(
            whole_number(given_num_items),
            -- A fraction, as of a weight or a length, is an item more.
            case
                when single_item_id is not null or single_line.quantity is not null or len(listed_lines) > 0
                    then list_sum(list_transform(items, lambda i: ceil(coalesce(i.quantity, 1))))::bigint
            end,
            len(unique_item_ids)
        ) as num_items,
        coalesce(
            case
                when coalesce(property.brands::varchar, hashed.brands[1]) is not null
                    then brands_of(coalesce(texts_listed(property.brands), hashed.brands))
            end,
            in_order_once(list_filter(list_transform(items, lambda i: i.brand), lambda b: b is not null)),
            case
                -- An object is no name.
                when property.brand is not null and left(property.brand, 1) not in ('{', '[')
                    then null_if_empty_list(list_filter([property.brand], lambda b: b <> ''))
            end
        ) as brands,
        coalesce(
            property.search_string, property.query, property.search_term
        )
            as search_string,
        coalesce(
            property.sign_up_method,
            case when snap_event_name = 'SIGN_UP' then property.method end
        ) as sign_up_method,
        coalesce(plain_money(given_ltv), case when read_amounts[3] >= 0 then double_of(read_amounts[3]) end)
            as predicted_ltv,
        property.status as status,
        property.customer_status as customer_status,
        given_travel as travel,
        -- values that version 2 alone takes
        property.description as description,
        property.level as level,
        -- Plain, as codes: neither tells who somebody is.
        upper(country_code) as country_code,
        region_code(state, country_code) as region_code,
        -- app_data
        -- Null if the platform is unknown, or neither iOS nor Android.
        device.platform = 'ios' as is_ios,
        coalesce(given_app_id, case when device.platform = 'android' then nullif(app_namespace, '') end) as app_id,
        case
            when conversion_type = 'MOBILE_APP'
                -- The stricter answer counts. Without one, only Android permits tracking, unless the owner has opted
                -- out, so that the ad id is zeros: Apple's systems ask first, and nothing is known of others.
                then
                    not is_limited_use
                    and coalesce(
                        least(att_answer, ad_tracking_answer),
                        device.platform = 'android' and ltrim(coalesce(hashed.advertising_id, '-1'), '0-') <> '',
                        false
                    )
        end as advertiser_tracking_enabled,
        case
            when conversion_type = 'MOBILE_APP'
                -- In the order of Snap's sample (snap-api.md, section 3.7).
                then list_transform(
                    [
                        case device.platform when 'ios' then 'i2' when 'android' then 'a2' end,
                        app_namespace,
                        app_build,
                        app_version,
                        coalesce(os_version, device_property.os_version),
                        coalesce(device_model, device_property.device_model),
                        locale,
                        case
                            when device.utc_offset is not null
                                then time_zone_abbreviation(timezone, device.utc_offset)
                        end,
                        carrier,
                        screen_width,
                        screen_height,
                        screen_density,
                        coalesce(
                            device_property.cpu_cores, device_property."cpuCores"
                        ),
                        coalesce(
                            device_property.storage,
                            device_property.storage_size,
                            device_property."storageSize"
                        ),
                        coalesce(
                            device_property.free_storage, device_property."freeStorage"
                        ),
                        timezone
                    ],
                    lambda slot: coalesce(slot, '')
                )
        end as extinfo,
        -- values that were given but could not be used; the asset's metadata counts them
        list_concat(case when given_travel is not null then unusable_travel(given_travel) end, list_filter(
            [
                case when len(emails) > len(coalesce(em, [])) then 'email' end,
                case when len(phones) > len(coalesce(ph, [])) then 'phone' end,
                case when first_name is not null and fn is null then 'first_name' end,
                case when last_name is not null and ln is null then 'last_name' end,
                case when gender is not null and ge is null then 'gender' end,
                case when city is not null and ct is null then 'city' end,
                case when state is not null and st is null then 'state' end,
                case when zip is not null and zp is null then 'zip' end,
                case
                    when landed_country is not null and country is null
                        then 'country'
                end,
                case when hashed.ip_address is not null and client_ip_address is null then 'ip_address' end,
                case when hashed.advertising_id is not null and madid_normalized is null then 'advertising_id' end,
                case
                    when
                        amount is null
                        and (
                            coalesce(given_value, given_price) is not null
                            or list_count(list_transform(priced_lines, lambda l: l.given_price)) > 0
                        )
                        then 'value'
                end,
                case when named_currency is not null and known_currency is null then 'currency' end,
                case
                    when given_ltv is not null and plain_money(given_ltv) is null and coalesce(read_amounts[3], -1) < 0
                        then 'predicted_ltv'
                end,
                case
                    when has_odd_lines and len(list_filter(lines, lambda l: has_unread_amount(l))) > 0 then 'item_price'
                end,
                case
                    when has_odd_lines and len(list_filter(lines, lambda l: has_unread_quantity(l))) > 0 then 'quantity'
                end,
                case when given_num_items is not null and whole_number(given_num_items) is null then 'num_items' end,
                case when placeholder_orders <> [] then 'order_id' end,
                case
                    when given_data_processing is not null and asks_for_limited_use is null
                        then 'data_processing_options'
                end,
                case when device.app_id is not null and given_app_id is null then 'app_id' end,
                case when device.att_status is not null and att_answer is null then 'att_status' end,
                case
                    when device.ad_tracking_enabled is not null and ad_tracking_answer is null
                        then 'ad_tracking_enabled'
                end
            ],
            lambda name: name is not null
        )) as dropped,
        -- never sent: by it `snap-pipeline forget` finds payloads of a device once their events were pruned
        subject_number,
        placeholder_ids,
        workspace_settings.hash_external_id as hash_external_id,
        linked,
        linked_click_id
    from hashed
),

-- Free texts, into which a visitor or the shop may have put an e-mail address or a phone number, are searched once the
-- JSON is decoded. The person's own identifiers were hashed above; page addresses have a rule of their own (urls.sql).
scanned as (
    select
        *,
        plaintext_replacements(
            list_concat(
                [
                    event_tag, sc_click_id, sc_cookie1, subscription_id, lead_id, anon_id,
                    order_id, content_category, content_name, search_string,
                    sign_up_method, status, customer_status, description, level, app_id
                ],
                content_ids,
                brands,
                extinfo,
                case when travel is not null then flatten(list_transform(travel, lambda given: given.texts)) end
            )
        ) as replacements
    from parameters
),

redacted as (
    select
        * exclude (replacements) replace (
            replaced(event_tag, replacements) as event_tag,
            replaced(sc_click_id, replacements) as sc_click_id,
            replaced(sc_cookie1, replacements) as sc_cookie1,
            replaced(subscription_id, replacements) as subscription_id,
            replaced(lead_id, replacements) as lead_id,
            replaced(anon_id, replacements) as anon_id,
            -- Hashed, not cut: Snap counts an order id once, so ids that differ in the plaintext alone must stay apart.
            case when map_contains(replacements, order_id) then sha256(order_id) else order_id end as order_id,
            case
                when replacements is null then contents
                else list_filter(
                    list_transform(
                        contents,
                        lambda i: {
                            'id': replaced(i.id, replacements),
                            'quantity': i.quantity,
                            'item_price': i.item_price,
                            'brand': replaced(i.brand, replacements),
                            'delivery_category': i.delivery_category
                        }
                    ),
                    lambda i: i.id is not null
                )
            end as contents,
            all_replaced(content_ids, replacements) as content_ids,
            replaced(content_category, replacements) as content_category,
            replaced(content_name, replacements) as content_name,
            all_replaced(brands, replacements) as brands,
            replaced(search_string, replacements) as search_string,
            replaced(sign_up_method, replacements) as sign_up_method,
            replaced(status, replacements) as status,
            replaced(customer_status, replacements) as customer_status,
            replaced(description, replacements) as description,
            replaced(level, replacements) as level,
            case when travel is not null then travel_members(travel, replacements) end as travel,
            replaced(app_id, replacements) as app_id,
            case
                when replacements is null then extinfo
                else list_transform(extinfo, lambda slot: coalesce(replaced(slot, replacements), ''))
            end as extinfo
        )
    from scanned
)

-- Values of the event itself win over those of its person's profile.
select
    * exclude (hash_external_id, linked, linked_click_id, placeholder_ids) replace (
        coalesce(sc_click_id, linked_click_id) as sc_click_id,
        case when placeholder_ids is null then dropped else list_distinct(list_concat(dropped, placeholder_ids)) end
            as dropped,
        -- [[[cog cog.outl(blocks.with_linked_values()) ]]]
        coalesce(em, linked.em) as em,
        coalesce(ph, linked.ph) as ph,
        coalesce(fn, linked.fn) as fn,
        coalesce(ln, linked.ln) as ln,
        coalesce(ge, linked.ge) as ge,
        coalesce(ct, linked.ct) as ct,
        coalesce(st, linked.st) as st,
        coalesce(zp, linked.zp) as zp,
        coalesce(country, linked.country) as country,
        sent_external_ids(coalesce(external_id, linked.external_id), hash_external_id) as external_id,
        coalesce(sc_cookie1, linked.sc_cookie1) as sc_cookie1,
        coalesce(first_name_v2, linked.first_name_v2) as first_name_v2,
        coalesce(last_name_v2, linked.last_name_v2) as last_name_v2,
        coalesce(city_v2, linked.city_v2) as city_v2
        -- [[[end]]]
    ),
    list_filter(
        [
            case when sc_click_id is null and linked_click_id is not null then 'sc_click_id' end,
            -- [[[cog cog.outl(blocks.linked_names()) ]]]
            case when em is null and linked.em is not null then 'em' end,
            case when ph is null and linked.ph is not null then 'ph' end,
            case when fn is null and linked.fn is not null then 'fn' end,
            case when ln is null and linked.ln is not null then 'ln' end,
            case when ge is null and linked.ge is not null then 'ge' end,
            case when ct is null and linked.ct is not null then 'ct' end,
            case when st is null and linked.st is not null then 'st' end,
            case when zp is null and linked.zp is not null then 'zp' end,
            case when country is null and linked.country is not null then 'country' end,
            case when external_id is null and linked.external_id is not null then 'external_id' end,
            case when sc_cookie1 is null and linked.sc_cookie1 is not null then 'sc_cookie1' end
            -- [[[end]]]
        ],
        lambda name: name is not null
    ) as linked
from redacted

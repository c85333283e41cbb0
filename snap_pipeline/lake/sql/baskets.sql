-- Conversions, each with what was bought: the lines of the order, and its amounts in numbers. Reads `filtered_events`
-- and keeps their order. Rules of amounts and lines: macros/values.sql, macros/products.sql.
with parsed as (
    select
        *,
        getvariable('workspace_settings')[workspace] as workspace_settings,
        from_json(
            properties,
            '{
                "value": "JSON", "revenue": "JSON", "total": "JSON", "total_price": "JSON",
                "discount": "JSON", "total_discounts": "JSON",
                "currency": "VARCHAR", "currency_code": "VARCHAR", "currencyCode": "VARCHAR",
                "order_id": "VARCHAR", "orderId": "VARCHAR", "transaction_id": "VARCHAR",
                "products": "JSON", "items": "JSON", "line_items": "JSON", "contents": "JSON", "ecommerce": "JSON",
                "product_id": "VARCHAR", "item_id": "VARCHAR", "sku": "VARCHAR", "id": "VARCHAR",
                "price": "JSON", "quantity": "VARCHAR",
                "brand": "VARCHAR", "brands": "JSON", "category": "VARCHAR", "item_category": "VARCHAR",
                "name": "VARCHAR", "delivery_category": "VARCHAR",
                "num_items": "VARCHAR", "number_items": "VARCHAR", "content_ids": "JSON", "item_ids": "JSON",
                "content_category": "VARCHAR", "content_name": "VARCHAR", "content_type": "VARCHAR",
                "query": "VARCHAR", "search_term": "VARCHAR", "search_string": "VARCHAR",
                "method": "VARCHAR", "sign_up_method": "VARCHAR",
                "predicted_ltv": "JSON", "status": "VARCHAR", "customer_status": "VARCHAR", "event_tag": "VARCHAR",
                "description": "VARCHAR", "level": "VARCHAR",
                "data_processing_options": "VARCHAR", "dataProcessingOptions": "VARCHAR", "data_use": "VARCHAR"
            }'
        ) as property
    from filtered_events
),

-- GTM's and GA4's object: the order itself, or in older containers its action, with the order in actionField.
with_shop as (
    select
        *,
        case
            when property.ecommerce is not null
                then list_transform(
                    [
                        from_json(
                            object_of(property.ecommerce),
                            '{
                                "purchase": "JSON", "checkout": "JSON", "add": "JSON", "detail": "JSON",
                                "currency": "VARCHAR", "currencyCode": "VARCHAR"
                            }'
                        )
                    ],
                    lambda shop: struct_insert(
                        from_json(
                            json_merge_patch(
                                object_of(property.ecommerce),
                                coalesce(
                                    object_of(coalesce(shop.purchase, shop.checkout, shop.add, shop.detail)), '{}'::json
                                )
                            ),
                            '{
                                "actionField": {"id": "VARCHAR", "revenue": "JSON"},
                                "value": "JSON", "revenue": "JSON", "transaction_id": "VARCHAR",
                                "items": "JSON", "products": "JSON"
                            }'
                        ),
                        currency := coalesce(shop.currency, shop."currencyCode")
                    )
                )[1]
        end as shop
    from parsed
),

with_products as (
    select
        *,
        case
            when
                coalesce(property.products, property.items, property.line_items, property.contents) is not null
                or shop is not null
                then coalesce(
                    nullif(list_of(property.products), '[]'),
                    list_of(property.items),
                    list_of(property.line_items),
                    list_of(property.contents),
                    list_of(coalesce(shop.products, shop.items))
                )
        end as products,
        -- The prices of GA4's items are after their discounts.
        coalesce(property.products, property.line_items, property.contents, shop.products) is not null as has_discounts,
        coalesce(
            null_if_blank(property.product_id),
            null_if_blank(property.item_id),
            property.sku,
            -- Elsewhere it may be the order's.
            case
                when
                    property.id is not null
                    and (
                        property.price is not null
                        or property.quantity is not null
                        or snap_event_name in ('VIEW_CONTENT', 'ADD_CART', 'ADD_TO_WISHLIST')
                    )
                    then property.id
            end
        ) as single_item_id,
        -- The amount as the shop writes it: the first key that is filled, even if its value is unusable.
        coalesce(
            value,
            given_amount(property.value::varchar),
            given_amount(property.revenue::varchar),
            given_amount(property.total::varchar),
            given_amount(property.total_price::varchar),
            case
                when shop is not null
                    then coalesce(
                        given_amount(shop.value::varchar),
                        given_amount(shop."actionField".revenue::varchar),
                        given_amount(shop.revenue::varchar)
                    )
            end
        ) as given_value,
        coalesce(given_discount(property.discount::varchar), given_discount(property.total_discounts::varchar))
            as given_discount,
        coalesce(given_amount(property.price::varchar), price) as given_price,
        given_amount(property.predicted_ltv::varchar) as given_ltv,
        case
            when
                coalesce(property.order_id, property."orderId", property.transaction_id) is not null or shop is not null
                then placeholders_among(
                    concat_ws(
                        id_separator(),
                        property.order_id,
                        property."orderId",
                        property.transaction_id,
                        shop.transaction_id,
                        shop."actionField".id
                    )
                )
        end as placeholder_orders,
        coalesce(property.num_items, property.number_items, number_items) as given_num_items,
        coalesce(
            currency,
            property.currency,
            coalesce(property.currency_code, property."currencyCode"),
            shop.currency
        ) as given_currency
    from with_shop
),

itemized as (
    select
        *,
        case when products is not null then lines_of(products_of(products), has_discounts) end as listed_lines,
        case
            when
                single_item_id is not null
                or given_price is not null
                or coalesce(property.quantity, quantity) is not null
                then line(
                    single_item_id,
                    coalesce(property.quantity, quantity),
                    given_price,
                    null::varchar,
                    property.brand,
                    property.category,
                    property.delivery_category,
                    false
                )
        end as single_line,
        plain_money(given_value) as plain_value
    from with_products
),

with_lines as (
    select
        *,
        case
            when len(listed_lines) > 0 then listed_lines
            when single_line is not null then [single_line]
        end as lines
    from itemized
),

-- Few lines are not as most are: with amounts that are not in plain digits, or returned.
with_odd_lines as (
    select
        *,
        case
            when lines is not null
                then len(list_filter(
                    lines, lambda l: has_unread_amount(l) or has_unread_quantity(l) or is_returned(l)
                )) > 0
            else false
        end as has_odd_lines
    from with_lines
),

-- The parts of all amounts of an event of which one is not in plain digits: its own four, then its lines' prices and
-- discounts.
with_odd_amounts as (
    select
        *,
        case
            when
                has_odd_lines
                or (given_value is not null and plain_value is null)
                or (given_discount is not null and plain_line_amount(given_discount) is null)
                or (given_ltv is not null and plain_money(given_ltv) is null)
                or (single_line is not null and has_unread_amount(single_line))
                then list_transform(
                    list_concat(
                        [given_value, given_discount, given_ltv, single_line.given_price],
                        list_transform(lines, lambda l: l.given_price),
                        list_transform(lines, lambda l: given_amount(l.given_discount))
                    ),
                    lambda given: amount_parts(given)
                )
        end as odd_amounts
    from with_odd_lines
),

with_currency as (
    select
        *,
        case
            when named_currency is not null then currency_of(named_currency, workspace_settings.default_currency)
            else workspace_settings.default_currency
        end as known_currency
    from (
        select
            *,
            case
                when given_currency is null and odd_amounts is not null
                    then list_filter(
                        list_transform(odd_amounts, lambda parts: currency_mark(parts)), lambda mark: mark is not null
                    )[1]
                else given_currency
            end as named_currency
        from with_odd_amounts
    )
),

with_amounts as (
    select
        *,
        case
            when odd_amounts is not null
                then list_transform(
                    odd_amounts,
                    lambda parts: amount_of_parts(parts, currency_decimals(known_currency))
                )
        end as read_amounts
    from with_currency
),

with_read_lines as (
    select
        * replace (
            case -- noqa: PRS
                when read_amounts is not null
                    then list_transform(
                        lines,
                        lambda l, place: struct_update(
                            l,
                            item_price := coalesce(
                                l.item_price, try_cast(read_amounts[4 + place] as decimal(18, 6))
                            ),
                            discount := coalesce(
                                l.discount, try_cast(read_amounts[4 + len(lines) + place] as decimal(18, 6))
                            )
                        )
                    )
                else lines
            end as lines
        )
    from with_amounts
),

-- The lines that were bought, and those that give the sum if no amount is given.
with_items as (
    select
        *,
        case when has_odd_lines then list_filter(lines, lambda l: not is_returned(l)) else lines end as items,
        case when given_value is null then lines end as priced_lines
    from with_read_lines
),

summed as (
    select
        *,
        case
            when list_count(list_transform(priced_lines, lambda l: l.given_price)) > 0
                then sum_of_lines(list_transform(priced_lines, lambda l: line_amount(l, given_discount is null)))
            when given_value is null and given_price is not null
                then
                    coalesce(single_line.item_price, try_cast(read_amounts[4] as decimal(18, 6)))::decimal(24, 6)
                    * coalesce(single_line.quantity, 1)
        end - case
            when given_discount is null then 0
            else abs(coalesce(plain_line_amount(given_discount), read_amounts[2]))
        end as line_sum
    from with_items
)

select * from summed

-- Products of an event: a list, a list as JSON text, or a single product's keys.

-- The list in a value, also if it is written as JSON text; null for anything else.
create or replace macro list_of(value) as case json_type(value)
    when 'ARRAY' then value
    when 'VARCHAR' then
        case when json_type(try_cast(value ->> '$' as json)) = 'ARRAY' then try_cast(value ->> '$' as json) end
end;

create or replace macro products_of(value) as from_json(
    list_of(value),
    '[{
        "product_id": "VARCHAR", "productId": "VARCHAR", "sku": "VARCHAR", "id": "VARCHAR", "item_id": "VARCHAR",
        "price": "VARCHAR", "item_price": "VARCHAR", "quantity": "VARCHAR", "brand": "VARCHAR", "item_brand": "VARCHAR",
        "vendor": "VARCHAR", "category": "VARCHAR", "item_category": "VARCHAR", "delivery_category": "VARCHAR"
    }]'
);

-- As null_if_blank(), for use inside lists: DuckDB compiles regular expressions there again for every chunk of rows,
-- which costs more than everything else. So this and the macros below do without.
create or replace macro null_if_blank_short(text) as
case when lower(trim(text)) not in ('', 'null', 'undefined', 'nan', 'none') then trim(text) end;

-- A unit price: a number with a decimal point or comma. Null for more digits than money() takes, so that no sum of
-- prices is infinite, which JSON cannot write.
create or replace macro price_of(text) as list_filter(
    [
        coalesce(
            try_cast(text as double),
            case
                when strlen(text) - instr(text, ',') between 1 and 2 then try_cast(replace(text, ',', '.') as double)
            end
        )
    ],
    lambda price: price >= 0 and price < 1e15
)[1];

create or replace macro quantity_of(text) as list_filter(
    [try_cast(try_cast(text as double) as bigint)], lambda quantity: quantity >= 0
)[1];

-- One item of Snap's contents (snap-api.md, section 3.5). An invalid price or quantity is null.
create or replace macro item(id, quantity, price, brand, category, delivery_category) as {
    'id': id,
    'quantity': quantity_of(quantity),
    'item_price': price_of(price),
    'brand': brand,
    'category': category,
    'delivery_category': case
        when lower(delivery_category) in ('in_store', 'curbside', 'home_delivery') then lower(delivery_category)
    end
};

create or replace macro items_of(products) as list_transform(
    products,
    lambda p: item(
        coalesce(
            null_if_blank_short(p.product_id),
            null_if_blank_short(p."productId"),
            null_if_blank_short(p.item_id),
            null_if_blank_short(p.sku),
            null_if_blank_short(p.id)
        ),
        p.quantity,
        coalesce(p.price, p.item_price),
        coalesce(null_if_blank_short(p.brand), null_if_blank_short(p.item_brand), null_if_blank_short(p.vendor)),
        coalesce(null_if_blank_short(p.category), null_if_blank_short(p.item_category)),
        p.delivery_category
    )
);

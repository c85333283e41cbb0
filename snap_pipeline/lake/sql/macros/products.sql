-- Products of an event: a list, an object of objects, one object, or a single product's keys; each also as JSON text.
-- Needs json.sql and values.sql.

-- An object that stands for a list: its values if all of them are objects (PHP writes a list with gaps as an object
-- with numbers for keys), else the object itself as the only item.
create or replace macro list_of_object(value) as list_transform(
    [json_extract(value, '$.*')],
    lambda members: case
        when len(members) = 0 then '[]'::json
        when len(list_filter(members, lambda member: json_type(member) <> 'OBJECT')) = 0 then to_json(members)
        else json_array(value)
    end
)[1];

create or replace macro list_of_text(text) as case json_type(try_cast(text as json))
    when 'ARRAY' then try_cast(text as json)
    when 'OBJECT' then list_of_object(try_cast(text as json))
end;

-- The list in a value; null for anything that stands for none.
create or replace macro list_of(value) as case json_type(value)
    when 'ARRAY' then value
    when 'OBJECT' then list_of_object(value)
    when 'VARCHAR' then list_of_text(value ->> '$')
end;

create or replace macro products_of(list) as from_json(
    list,
    '[{
        "product_id": "VARCHAR", "productId": "VARCHAR", "sku": "VARCHAR", "id": "VARCHAR", "item_id": "VARCHAR",
        "price": "JSON", "item_price": "JSON", "quantity": "VARCHAR", "discount": "JSON", "total_discount": "JSON",
        "brand": "VARCHAR", "item_brand": "VARCHAR", "vendor": "VARCHAR",
        "category": "VARCHAR", "item_category": "VARCHAR", "delivery_category": "VARCHAR",
        "returned": "VARCHAR", "is_return": "VARCHAR", "isReturn": "VARCHAR", "refunded": "VARCHAR", "type": "VARCHAR"
    }]'
);

-- As null_if_blank(), for use inside lists: DuckDB compiles regular expressions there again for every chunk of rows,
-- which costs more than everything else. So this and the macros below do without.
create or replace macro null_if_blank_short(text) as
case when lower(trim(text)) not in ('', 'null', 'undefined', 'nan', 'none', 'n/a') then trim(text) end;

-- An amount as JSON writes it; null if it is a blank text.
create or replace macro given_amount(json_text) as case
    when not starts_with(json_text, '"') then json_text
    when lower(trim(json_text, '" ')) not in ('', 'null', 'undefined', 'nan', 'none', 'n/a') then json_text
end;

-- A discount as JSON writes it; null for what shops write where there is none: false, an empty list or object.
create or replace macro given_discount(json_text) as
case when json_text not in ('false', '"false"', '[]', '{}') then given_amount(json_text) end;

-- An amount of a line in plain digits; null for any other, which amount_of_parts() may read, and for a text with three
-- digits after its point, whose currency decides.
create or replace macro plain_line_amount(json_text) as case
    when left(json_text, 1) <> '"' then try_cast(json_text as decimal(18, 6))
    when strlen(json_text) - instr(json_text, '.') <> 4 and not contains(json_text, '_')
        then try_cast(trim(json_text, '"') as decimal(18, 6))
end;

-- A quantity with its sign, also with a decimal comma and in digits of other scripts; null if it is unusable.
create or replace macro quantity_of(text) as coalesce(
    try_cast(text as decimal(12, 6)),
    try_cast(
        translate(text, ',٫٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹０１２３４５６７８９−', '..012345678901234567890123456789-') as decimal(12, 6)
    )
);

create or replace macro is_return_mark(returned, is_return, refunded, type) as coalesce(
    is_affirmed(coalesce(returned, is_return, refunded))
    or lower(type) in ('return', 'returned', 'refund', 'refunded'),
    false
);

-- A line of an order: what Snap's contents take of it (snap-api.md, section 3.5), and what its amount is computed
-- from. A price, discount or quantity that is given and null could not be read yet.
create or replace macro line(
    id, given_quantity, given_price, given_discount, brand, category, delivery_category, is_marked_return
) as {
    'id': id,
    'given_quantity': given_quantity,
    'quantity': quantity_of(given_quantity),
    'given_price': given_price,
    'item_price': plain_line_amount(given_price),
    'given_discount': given_discount,
    'discount': plain_line_amount(given_discount),
    'brand': brand,
    'category': category,
    'delivery_category': case
        when lower(delivery_category) in ('in_store', 'curbside', 'home_delivery') then lower(delivery_category)
    end,
    'is_marked_return': is_marked_return
};

create or replace macro lines_of(products, has_discounts) as list_transform(
    products,
    lambda p: line(
        coalesce(
            null_if_blank_short(p.product_id),
            null_if_blank_short(p."productId"),
            null_if_blank_short(p.item_id),
            null_if_blank_short(p.sku),
            null_if_blank_short(p.id)
        ),
        p.quantity,
        coalesce(given_amount(p.price::varchar), given_amount(p.item_price::varchar)),
        case
            when has_discounts
                then coalesce(given_discount(p.total_discount::varchar), given_discount(p.discount::varchar))
        end,
        coalesce(null_if_blank_short(p.brand), null_if_blank_short(p.item_brand), null_if_blank_short(p.vendor)),
        coalesce(null_if_blank_short(p.category), null_if_blank_short(p.item_category)),
        p.delivery_category,
        is_return_mark(p.returned, coalesce(p.is_return, p."isReturn"), p.refunded, p.type)
    )
);

create or replace macro has_unread_quantity(line) as
line.quantity is null and null_if_blank_short(line.given_quantity) is not null;

-- Tells whether a price or discount of a line is given that could not be read in plain digits.
create or replace macro has_unread_amount(line) as
(line.item_price is null and line.given_price is not null)
or (line.discount is null and line.given_discount is not null);

-- A line that came back: marked so, or with a negative quantity or price.
create or replace macro is_returned(line) as
coalesce(line.quantity < 0, false) or coalesce(line.item_price < 0, false) or line.is_marked_return;

-- The cast is for a million and more: of two DECIMALs of up to 18 digits, DuckDB makes a product of no more than these.
create or replace macro unsigned_line_amount(line, has_own_discount) as
abs(line.item_price)::decimal(24, 6) * abs(coalesce(line.quantity, 1))
- case when has_own_discount and line.discount is not null then abs(line.discount) else 0 end;

-- What a line adds to the sum; null if a part of it cannot be read.
create or replace macro line_amount(line, has_own_discount) as case
    when has_unread_quantity(line) or (has_own_discount and has_unread_amount(line)) then null
    when is_returned(line) then -unsigned_line_amount(line, has_own_discount)
    else unsigned_line_amount(line, has_own_discount)
end;

-- The sum, or null if an amount is missing: part of an order is no value of it.
create or replace macro sum_of_lines(amounts) as
case when list_count(amounts) = len(amounts) then list_sum(amounts) end;

-- Currencies, item ids and external ids of payloads. Needs values.sql, plaintext.sql and phones.sql, which
-- says what an `origin` is.

-- The key by which signs, words and old codes of currencies are compared: without case, blanks and points, and with the
-- plain form of full-width signs.
create or replace macro folded_symbol(text) as
folded_case(translate(regexp_replace(text, '[\p{Z}\p{C}.]+', '', 'g'), '￥＄￡￠￦', '¥$£¢₩'));

-- The currency of a sign, word or old code in the seed currency_symbols.csv, here as the variable
-- `currency_symbols`. One that several currencies share, such as $, is the workspace's default if that is among
-- them; otherwise null.
create or replace macro currency_of_symbol(symbol, default_currency) as list_transform(
    [map_extract_value(getvariable('currency_symbols'), folded_symbol(symbol))],
    lambda found: case
        when len(found) = 1 then found[1]
        when list_contains(found, default_currency) then default_currency
    end
)[1];

-- A currency code of ISO 4217, in upper case; null for any other text, except for those of currency_of_symbol(). The
-- codes come from the seed currencies.csv, here as the variable `currency_pattern`.
create or replace macro currency_of(text, default_currency) as case
    when regexp_full_match(text, getvariable('currency_pattern')) then text
    else coalesce(
        nullif(regexp_extract(currency_code(text), getvariable('currency_pattern')), ''),
        currency_of_symbol(text, default_currency)
    )
end;

-- How many decimals amounts in a currency have: two, except for those in the seed currency_decimals.csv.
create or replace macro currency_decimals(currency) as case
    when currency is not null then coalesce(map_extract_value(getvariable('currency_decimals'), currency), 2)
end;

-- Item ids of texts. A single text may hold several, separated by `;`, or by commas where no `;` is there.
create or replace macro item_ids_of(texts) as null_if_empty_list(
    list_filter(
        list_transform(
            flatten(
                list_transform(
                    case
                        when len(texts) = 1 and not contains(texts[1], ';') then string_split(texts[1], ',')
                        else texts
                    end,
                    lambda t: string_split(t, ';')
                )
            ),
            lambda t: null_if_blank(t)
        ),
        lambda t: t is not null
    )
);

-- Brands of texts, each of which may hold several, separated by `;`.
create or replace macro brands_of(texts) as in_order_once(
    list_filter(
        list_transform(flatten(list_transform(texts, lambda t: string_split(t, ';'))), lambda t: null_if_blank(t)),
        lambda t: t is not null
    )
);

-- An external id as its digest, trimmed and in lower case before (snap-api.md, section 3.4); a digest stays one.
create or replace macro hashed_external_id(id) as list_transform(
    [folded_case(trim(id, ' ' || chr(9) || chr(10) || chr(13) || chr(160)))],
    lambda folded: case
        when strlen(folded) = 64 and ltrim(folded, '0123456789abcdef') = '' then folded
        else sha256(nullif(folded, ''))
    end
)[1];

create or replace macro is_marked_phone(text) as
left(text, 1) in ('+', '＋') or starts_with(lower(text), 'tel:');

-- The digits of a text.
create or replace macro digits_of(text) as regexp_replace(ascii_digits(text), '[^0-9]+', '', 'g');

-- An external id (or the user id in its place) as it is sent: unchanged, but hashed if it is an e-mail address or a
-- phone number, and null if it looks like one and is invalid. Digits without a + count as the shop's own id, unless the
-- event gives them as a phone number too: usable (`ph`, hashes) or not (`phones`, as given).
create or replace macro external_id_of(id, ph, phones, origin) as list_transform(
    [if(looks_like_plaintext(id), readable_text(id), id)],
    lambda readable: case
        when contains(readable, '@') then hashed_email(readable)
        when
            is_marked_phone(readable)
            or (
                phones is not null and strlen(id) between 7 and 24
                and try_cast(translate(id, '()-./ ' || chr(160), '') as bigint) is not null
            )
            then list_transform(
                [hashed_phone(readable, origin)],
                lambda hash: case
                    when is_marked_phone(readable) or list_contains(ph, hash) then hash
                    when list_contains(list_transform(phones, lambda phone: digits_of(phone)), digits_of(readable))
                        then sha256(id)
                    else id
                end
            )[1]
        when regexp_matches(readable, plaintext_pattern()) then sha256(id)
        else id
    end
)[1];

-- The ids as they are sent, in their order; null for an unusable one. The expressions that find e-mail addresses and
-- phone numbers are compiled again for every chunk of rows, so they run only on lists that have one of their characters
-- or may repeat the event's phone number: an id without letters.
create or replace macro external_ids_as_sent(ids, ph, phones, origin) as case
    when
        looks_like_plaintext(array_to_string(ids, chr(31)))
        or regexp_matches(array_to_string(ids, chr(31)), '(?:^|\x1f)\+')
        or (
            phones is not null
            and regexp_matches(array_to_string(ids, chr(31)), '(?:^|\x1f)[^A-Za-z\x1f]*(?:\x1f|$)')
        )
        then list_transform(ids, lambda id: external_id_of(id, ph, phones, origin))
    else ids
end;

-- The external ids that are sent, each once.
create or replace macro external_ids_of(ids, ph, phones, origin) as in_order_once(
    list_filter(external_ids_as_sent(ids, ph, phones, origin), lambda id: id is not null)
);

-- The external ids of a payload, as digests where the workspace wants that.
create or replace macro sent_external_ids(ids, is_hashed) as
case when is_hashed then in_order_once(list_transform(ids, lambda id: hashed_external_id(id))) else ids end;

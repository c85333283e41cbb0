-- Currencies, item ids and external ids of payloads. Needs values.sql, plaintext.sql and phones.sql.

-- A currency code of ISO 4217, in upper case; null for any other text. The codes come from the seed currencies.csv,
-- here as the variable `currency_pattern`.
create or replace macro currency_of(text) as case
    when regexp_full_match(text, getvariable('currency_pattern')) then text
    else nullif(regexp_extract(currency_code(text), getvariable('currency_pattern')), '')
end;

-- Item ids from a list, or from the text of an uploaded CSV, separated by `;`.
create or replace macro item_ids_of(texts) as null_if_empty_list(
    list_filter(
        list_transform(flatten(list_transform(texts, lambda t: string_split(t, ';'))), lambda t: null_if_blank(t)),
        lambda t: t is not null
    )
);

create or replace macro is_marked_phone(text) as
left(text, 1) in ('+', '＋') or starts_with(lower(text), 'tel:');

-- An external id (or the user id in its place) as it is sent: unchanged, but hashed if it is an e-mail address or a
-- phone number, and null if it looks like one and is invalid. Digits without a + count as the shop's own id, unless the
-- event has them as a phone number too (`ph`, hashes).
create or replace macro external_id_of(id, ph, default_calling_code) as list_transform(
    [if(looks_like_plaintext(id), readable_text(id), id)],
    lambda readable: case
        when contains(readable, '@') then hashed_email(readable)
        when
            is_marked_phone(readable)
            or (
                ph is not null and strlen(id) between 7 and 24
                and try_cast(translate(id, '()-./ ' || chr(160), '') as bigint) is not null
            )
            then list_transform(
                [hashed_phone(readable, default_calling_code)],
                lambda hash: case when is_marked_phone(readable) or list_contains(ph, hash) then hash else id end
            )[1]
        when regexp_matches(readable, plaintext_pattern()) then sha256(id)
        else id
    end
)[1];

-- The ids as they are sent, in their order; null for an unusable one. The expressions that find e-mail addresses and
-- phone numbers are compiled again for every chunk of rows, so they run only on lists that have one of their characters
-- or may repeat the event's phone number: an id without letters.
create or replace macro external_ids_as_sent(ids, ph, default_calling_code) as case
    when
        looks_like_plaintext(array_to_string(ids, chr(31)))
        or regexp_matches(array_to_string(ids, chr(31)), '(?:^|\x1f)\+')
        or (
            ph is not null
            and regexp_matches(array_to_string(ids, chr(31)), '(?:^|\x1f)[^A-Za-z\x1f]*(?:\x1f|$)')
        )
        then list_transform(ids, lambda id: external_id_of(id, ph, default_calling_code))
    else ids
end;

-- The external ids that are sent, each once.
create or replace macro external_ids_of(ids, ph, default_calling_code) as in_order_once(
    list_filter(external_ids_as_sent(ids, ph, default_calling_code), lambda id: id is not null)
);

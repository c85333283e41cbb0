-- Small rules of the payload that have no home of their own.

-- A currency of ISO 4217, in upper case; what is no such code is dropped as a value. The codes are the seed
-- currencies.csv, here as the variable `currency_pattern`.
create or replace macro currency_of(text) as case
    when regexp_full_match(text, getvariable('currency_pattern')) then text
    else nullif(regexp_extract(currency_code(text), getvariable('currency_pattern')), '')
end;

-- Item ids as an uploaded CSV gives them, `;` between, or as a list.
create or replace macro item_ids_of(texts) as filled(
    list_filter(
        list_transform(flatten(list_transform(texts, lambda t: string_split(t, ';'))), lambda t: present(t)),
        lambda t: t is not null
    )
);

create or replace macro is_ios(os_name) as
coalesce(lower(os_name) in ('ios', 'ipados', 'iphone os', 'tvos', 'iphone', 'ipad'), false);

create or replace macro is_marked_phone(text) as
left(text, 1) in ('+', '＋') or starts_with(lower(text), 'tel:');

-- An external id, or the user id in its place, as it is; hashed where it is an e-mail address or a phone number, null
-- where it looks like one and is none. Digits without a + are taken for a number of the shop's own, unless the event
-- gives them as the phone number too (`ph`, hashes).
create or replace macro external_id_of(id, ph, default_calling_code) as list_transform(
    [if(looks_like_plaintext(id), readable_text(id), id)],
    lambda seen: case
        when contains(seen, '@') then hashed_email(seen)
        when
            is_marked_phone(seen)
            or (
                ph is not null and strlen(id) between 7 and 24
                and try_cast(translate(id, '()-./ ' || chr(160), '') as bigint) is not null
            )
            then list_transform(
                [hashed_phone(seen, default_calling_code)],
                lambda hash: case when is_marked_phone(seen) or list_contains(ph, hash) then hash else id end
            )[1]
        when regexp_matches(seen, plaintext_pattern()) then sha256(id)
        else id
    end
)[1];

-- What goes out of each id, in their order; null for one that is of no use. The expressions that see e-mail addresses
-- and phone numbers are compiled for every chunk of rows where a list has one of their characters, and where it may
-- repeat the event's phone number: as a text without letters.
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

-- The external ids that go out, each once.
create or replace macro external_ids_of(ids, ph, default_calling_code) as in_order_once(
    list_filter(external_ids_as_sent(ids, ph, default_calling_code), lambda id: id is not null)
);

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

-- An external id, or the user id in its place, as it is; hashed where it is an e-mail address or a phone number, null
-- where it looks like one and is none. Digits without a + are taken for a number of the shop's own, unless the event
-- gives them as the phone number too (`ph`, hashes).
create or replace macro external_id_of(id, ph, default_calling_code) as case
    when contains(id, '@') then hashed_email(id)
    when left(id, 1) in ('+', '＋') or starts_with(lower(id), 'tel:') then hashed_phone(id, default_calling_code)
    when
        ph is not null and strlen(id) between 7 and 24
        and try_cast(translate(id, '()-./ ' || chr(160), '') as bigint) is not null
        then coalesce(list_filter(ph, lambda hash: hash = hashed_phone(id, default_calling_code))[1], id)
    else id
end;

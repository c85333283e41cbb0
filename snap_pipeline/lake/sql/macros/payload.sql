-- Small rules of the payload that have no home of their own.

-- A currency of ISO 4217, in upper case; what is no such code is dropped as a value. The codes are the seed
-- currencies.csv, here as the variable `currency_pattern`.
create or replace macro currency_of(text) as case
    when regexp_full_match(text, getvariable('currency_pattern')) then text
    else nullif(regexp_extract(currency_code(text), getvariable('currency_pattern')), '')
end;

-- Item ids as an uploaded CSV gives them, `;` between, or as a list.
create or replace macro item_ids_of(texts) as nullif(
    list_filter(
        list_transform(flatten(list_transform(texts, lambda t: string_split(t, ';'))), lambda t: present(t)),
        lambda t: t is not null
    ),
    []
);

create or replace macro is_ios(os_name) as
coalesce(lower(os_name) in ('ios', 'ipados', 'iphone os', 'tvos', 'iphone', 'ipad'), false);

-- Phone numbers (snap-api.md, section 3.4: country code included, no leading 00, no leading 0 of the national number,
-- digits only), read as the library phonenumbers reads them. Needs normalize.sql, phone_patterns.sql and the function
-- phone_digits() of phone_numbers.py.
--
-- `origin` is the country of the person's address (as country_code() gives it), else the calling code of the workspace;
-- null if neither is known.

-- Digits of the Arabic, Persian and full-width scripts as ASCII digits.
create or replace macro ascii_digits(text) as case
    when regexp_matches(text, '[٠-٩۰-۹０-９＋]')
        then translate(text, '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹０１２３４５６７８９＋', '012345678901234567890123456789+')
    else text
end;

-- The number without a word before it ("tel:"), a word or an extension after it ("mobile", "ext. 12", "x12",
-- ";ext=12"), and the ".0" of a number that was a float. Letters between digits make it no phone number: the result is
-- ''.
create or replace macro without_phone_words(text) as regexp_extract(
    ascii_digits(text),
    '(?is)^[\p{Z}\p{Cc}\p{Cf}]*(?:[^\x00-@\[-`{-\x{bf}][^\x00-\x1f!--/-@\[-`{-\x{9f}]*:?\p{Z}*)?'
    || '((?:\(?\+\p{Z}*)?[(0-9][0-9()./\p{Pd}\p{Z}\p{Cc}\p{Cf}]*?)'
    || '(?:(?:[;,#x]|ext).*|[^\x00-@\[-`{-\x{bf}][^0-9]*|\.0)?[\p{Z}\p{Cc}\p{Cf}]*$',
    1
);

-- The digits that are dialled, with the + if the text has one before them.
create or replace macro dialled_digits(text) as regexp_replace(
    case
        -- Fast path: most numbers have no other characters and do not look like a float.
        when regexp_full_match(text, '[0-9+() ./-]*[0-9]{2}') then text
        else without_phone_words(text)
    end,
    '[^0-9+]+',
    '',
    'g'
);

-- Where a number without a calling code is from.
create or replace macro phone_origin(country, default_calling_code) as case
    when contains(calling_codes_of_countries(), ' ' || country) then country
    else default_calling_code
end;

-- The calling code of an origin.
create or replace macro calling_code_of(origin) as case
    when origin < 'a' then origin
    else regexp_extract(
        substr(calling_codes_of_countries(), strpos(calling_codes_of_countries(), ' ' || origin) + 3, 3), '[0-9]+'
    )
end;

-- The digits, or '' for one digit repeated throughout, before or after the calling code.
create or replace macro null_if_repeated(digits) as null_if_empty(
    regexp_replace(
        digits, '^[0-9]{0,3}(?:0{7,}|1{7,}|2{7,}|3{7,}|4{7,}|5{7,}|6{7,}|7{7,}|8{7,}|9{7,})$', ''
    )
);

-- The number as Snap hashes it: digits, the calling code first. Null for a number of a length that its country does not
-- have; without a country, for fewer than 7 or more than 15 digits; for one digit repeated throughout.
create or replace macro normalized_phone(text, origin) as
null_if_repeated(phone_digits(dialled_digits(text), origin));

create or replace macro hashed_phone(text, origin) as
coalesce(given_digest(text), sha256(normalized_phone(text, origin)));

-- As normalized_phone(), with patterns that spare nearly all numbers the call of the library. Not for use within a
-- lambda.
create or replace macro quickly_normalized_phone(text, origin) as null_if_repeated(
    case
        when regexp_full_match(translate(text, ' ()-./', ''), '\+(?:' || international_phone_pattern() || ')')
            then substr(translate(text, ' ()-./', ''), 2)
        when regexp_full_match(origin || ' ' || translate(text, ' ()-./', ''), trunk_phone_pattern())
            then calling_code_of(origin) || substr(translate(text, ' ()-./', ''), 2)
        when
            regexp_full_match(origin || ' ' || translate(text, ' ()-./', ''), national_phone_pattern())
            and not starts_with(translate(text, ' ()-./', ''), calling_code_of(origin))
            then calling_code_of(origin) || translate(text, ' ()-./', '')
        else phone_digits(dialled_digits(text), origin)
    end
);

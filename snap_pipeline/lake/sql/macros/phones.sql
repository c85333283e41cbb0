-- Phone numbers (snap-api.md, section 3.4: country code included, no leading 00, no leading 0 of the national number,
-- digits only). Needs normalize.sql.

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

-- The maximum number of digits of a national number without its trunk zero. A longer number that begins with the
-- calling code includes that code already. Countries that are not listed have 9 or fewer.
create or replace macro national_length(calling_code) as case
    when calling_code in ('55', '86') then 11
    when
        calling_code in (
            '1', '7', '20', '30', '39', '43', '44', '49', '52', '54', '57', '58', '60', '62', '63', '81', '82', '90',
            '91', '92', '98', '234', '880', '964', '977'
        )
        then 10
    else 9
end;

-- The number with + and country code, if one is known. `dialled` begins with + if it is international already.
create or replace macro international_number(dialled, default_calling_code) as case
    when starts_with(dialled, '+') or default_calling_code is null or dialled = '' then dialled
    when
        starts_with(dialled, default_calling_code) and strlen(dialled) > national_length(default_calling_code)
        then '+' || dialled
    else '+' || default_calling_code || dialled
end;

-- The number without the + and the zeros after the calling code, which are dialled inside the country only. In Italy
-- (39), San Marino (378), the Vatican (379), Ivory Coast (225) and Congo (242) the zero is part of the number, and
-- stays. The codes are those of ITU-T E.164.
create or replace macro without_trunk_zeros(number) as regexp_replace(
    number,
    '^\+((?:39|37[89]|225|242)[0-9]*'
    || '|1|7|2[07]|2[1-69][0-9]|3[0-469]|3[578][0-9]|4[013-9]|42[0-9]|5[1-8]|5[09][0-9]|6[0-6]|6[789][0-9]'
    || '|8[1246]|8[0578][0-9]|9[0-58]|9[679][0-9]|)0*',
    '\1'
);

-- The number as Snap hashes it: digits, the country code first. `default_calling_code` (digits) is put before numbers
-- without a country code; without it they stay as they are. Null for fewer than 7 or more than 15 digits, and for one
-- digit repeated throughout, before or after the country code.
create or replace macro normalized_phone(text, default_calling_code) as null_if_empty(
    regexp_replace(
        without_trunk_zeros(
            list_transform(
                [{
                    -- Too short without a country code stays too short with one.
                    'dialled': regexp_replace(
                        regexp_replace(dialled_digits(text), '^(?:\+|00)0*', '+'), '^[0-9]{0,6}$', ''
                    ),
                    'default_calling_code': default_calling_code
                }],
                lambda number: international_number(number.dialled, number.default_calling_code)
            )[1]
        ),
        '^(?:[0-9]{0,6}|[0-9]{16,}|[0-9]*\+.*'
        || '|[0-9]{0,3}(?:0{7,}|1{7,}|2{7,}|3{7,}|4{7,}|5{7,}|6{7,}|7{7,}|8{7,}|9{7,}))$',
        ''
    )
);

create or replace macro hashed_phone(text, default_calling_code) as
coalesce(given_digest(text), sha256(normalized_phone(text, default_calling_code)));

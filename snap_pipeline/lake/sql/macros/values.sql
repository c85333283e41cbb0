-- Amounts, whole numbers, currencies and times, from the texts that client libraries send for them. Null for any other
-- text. Needs normalize.sql and plaintext.sql.

-- Amounts come as JSON writes them: a number as it is, a text in quotes. A number is never ambiguous; what a
-- separator in a text means may depend on the currency ("1.299" is 1299 in EUR or JPY and 1.299 in KWD).

-- An amount that needs no thought: a number, or a text whose separator no currency reads otherwise. Null for any other.
create or replace macro plain_money(json_text) as case
    -- A plain cast would fail on other rows' texts: of a column that holds few values, DuckDB computes a branch for
    -- each of them, whichever rows it belongs to.
    when regexp_full_match(json_text, '[0-9]{1,15}(?:\.[0-9]{1,6})?') then try_cast(json_text as double)
    when regexp_full_match(json_text, '"[0-9]{1,15}(?:\.(?:[0-9]{1,2}|[0-9]{4,6}))?"')
        then try_cast(trim(json_text, '"') as double)
end;

-- A text in plain signs: without HTML, entities and invisible characters, in lower case, with digits and marks of other
-- scripts as ASCII. ";" stands for the Arabic decimal mark, which no currency reads otherwise. A point with no digit
-- before it gets a zero, unless it ends a word ("Rs.500").
create or replace macro in_plain_signs(text) as regexp_replace(
    regexp_replace(
        translate(
            regexp_replace(
                regexp_replace(
                    entities_decoded(
                        list_reduce( -- noqa: LT01
                            [
                                ['', text], ['&nbsp;', ' '], ['&thinsp;', ' '], ['&ensp;', ' '], ['&emsp;', ' '],
                                ['&euro;', '€'], ['&pound;', '£'], ['&yen;', '¥'], ['&dollar;', '$'], ['&cent;', '¢'],
                                ['&minus;', '-'], ['&ndash;', '-'], ['&mdash;', '-'], ['&hyphen;', '-'],
                                ['&comma;', ','], ['&period;', '.'], ['&apos;', ''''], ['&rsquo;', ''''],
                                ['&lpar;', '('], ['&rpar;', ')'], ['&percnt;', '%']
                            ], -- noqa: PRS
                            lambda done, change: ['', replace(done[2], change[1], change[2])]
                        )[2]
                    ),
                    '<[^<>]*>|[\p{Cc}\p{Z}]+', ' ', 'g'
                ),
                '\p{Cf}+|^ +| +$', '', 'g'
            ),
            '０１２３４５６７８９٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९০১২৩৪৫৬৭৮৯๐๑๒๓๔๕๖๗๘๙٬٫،，．、’‘ʼ`´−﹣－–—‒‐‑￥＄￡￠￦％（）＋',
            '012345678901234567890123456789012345678901234567890123456789' || '''' || ';,,.,' || repeat('''', 5)
            || repeat('-', 8) || '¥$£¢₩%()+'
        ),
        ' +', ' ', 'g'
    ),
    '(^|[\p{Sc} (+-])([.,;][0-9])', '\10\2'
);

-- The digits of an amount, and the words before and after them; three times '' for a text without one run of digits.
create or replace macro amount_parts(json_text) as list_transform(
    [
        lower(
            in_plain_signs(
                case when starts_with(json_text, '"') then try_cast(json_text as json) ->> '$' else json_text end
            )
        )
    ],
    lambda plain: struct_insert(
        regexp_extract(
            plain,
            '^([^0-9]*)([0-9](?:[0-9.,; \x27]*[0-9])?)([^0-9]*)$',
            ['before', 'digits', 'after']
        ),
        number := case
            when
                regexp_full_match(plain, '[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?')
                and (not starts_with(json_text, '"') or not regexp_full_match(plain, '[+-]?[1-9][0-9]{0,2}\.[0-9]{3}'))
                then try_cast(plain as decimal(21, 6))
        end
    )
)[1];

-- The sign or word of a currency among the parts of an amount: the one after the digits, else the one before them; null
-- if there is none.
create or replace macro currency_mark(parts) as
nullif(regexp_extract(parts.after || '#' || parts.before, '[^-0-9 ().,:;/+#][^-0-9():;,+#]*'), '');

-- The digits of an amount as a decimal number. A comma, space or apostrophe between groups that end with three
-- digits separates thousands, and so does a point that is there twice; of two kinds of marks, the last one is the
-- decimal mark. A single point or comma before three digits is the decimal mark in currencies with three decimals,
-- and separates thousands in all others; if the currency is unknown (decimals is null), a point is the decimal mark.
create or replace macro decimal_of_digits(digits, decimals) as try_cast(
    case
        when regexp_full_match(digits, '[0-9]+') then digits
        when regexp_full_match(digits, '[1-9][0-9]{0,2}[.,][0-9]{3}')
            then
                case
                    when decimals = 3 or (decimals is null and contains(digits, '.')) then replace(digits, ',', '.')
                    else regexp_replace(digits, '[.,]', '')
                end
        when regexp_full_match(digits, '[0-9]+[.,;][0-9]+') then regexp_replace(digits, '[,;]', '.')
        when regexp_full_match(digits, '[1-9][0-9]{0,2}(?:[,\x27 ][0-9]{2,3})*[,\x27 ][0-9]{3}(?:[.;][0-9]+)?')
            then replace(regexp_replace(digits, '[,\x27 ]', '', 'g'), ';', '.')
        when regexp_full_match(digits, '[1-9][0-9]{0,2}(?:[.\x27 ][0-9]{3})+[,;][0-9]+')
            then regexp_replace(regexp_replace(digits, '[.\x27 ]', '', 'g'), '[,;]', '.')
        when regexp_full_match(digits, '[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,}') then replace(digits, '.', '')
    end as decimal(21, 6)
);

-- An amount from its parts, exact and with its sign; null if it cannot be read. Only the sign or word of a currency
-- may be before or after the digits: any word of up to five letters that is no multiple ("12k", "5 Mio."), no
-- fraction of a currency ("50 cent") and no count ("3 pcs"). A minus may stand on either side, brackets mean one,
-- and "12,-", "12:-" and "12/-" have no decimals.
create or replace macro amount_of_parts(parts, decimals) as case
    when parts.number is not null then parts.number
    when
        regexp_full_match(
            parts.before || '#' || parts.after,
            '[ (+-]*(?:[^0-9#(+,:;<=>*%!?"&@{}|~^_\[\]\\-]{1,5}|[a-z]{2} ?[a-z]?\$|euros?|dollars?|francs?|rupees?)?'
            || '[ +-]*#(?:[.,:/]-{0,2})?[ )-]*'
            || '(?:[^0-9#(+,:;<=>*%!?"&@{}|~^_\[\]\\-]{1,5}|(?:us )?dollars?|pounds?|francs?|rupees?'
            || '|złotych|рубл..?|гривень|forint|kronor|kroner)?[ ).-]*'
        )
        and not regexp_matches(
            parts.before || '#' || parts.after,
            '(?:^|[ #.(+/-])(?:k|x|v|mio|mil|mill|mln|mn|mrd|mld|bio|bn|tsd|tys|тыс|млн|млрд|lakh|lacs?|crs?|cts?|'
            || 'cents?|pence|penny|коп|pcs?|stk|items?|units?|each|piece|pts?|kg|ca|from|about|over|under|max|min|save|'
            || 'ab|bis|von)'
            || '(?:[ #.,:/)-]|$)|#[. ]*[a-z]\.?$|[万萬億亿兆千仟百만억천¢]'
        )
        then
            decimal_of_digits(parts.digits, decimals)
            * if(
                contains(parts.before, '-')
                or (contains(parts.before, '(') and contains(parts.after, ')'))
                or regexp_matches(parts.after, '(?:^|[^.,:/-])-[ )]*$'),
                -1,
                1
            )::decimal(1, 0)
end;

-- The nearest DOUBLE of a decimal number, as JSON writes it.
create or replace macro double_of(amount) as amount::varchar::double;

-- An amount of zero or more, below 1e15, as a DOUBLE; null for anything else.
create or replace macro money(json_text, decimals := null) as coalesce(
    plain_money(json_text),
    list_transform(
        [amount_parts(json_text)],
        lambda parts: list_transform(
            [amount_of_parts(parts, decimals)], lambda amount: case when amount >= 0 then double_of(amount) end
        )[1]
    )[1]
);

-- Three letters, in upper case. The seed currencies.csv decides whether there is such a currency.
create or replace macro currency_code(text) as nullif(regexp_extract(upper(trimmed(text)), '^[A-Z]{3}$'), '');

-- A count: digits, with or without a fraction of zeros.
create or replace macro whole_number(text) as try_cast(
    regexp_extract(text, '^[\p{Z}\p{Cc}\p{Cf}]*([0-9]{1,18})(?:\.0*)?[\p{Z}\p{Cc}\p{Cf}]*$', 1) as bigint
);

-- Microseconds since 1970 from seconds, milliseconds, microseconds or nanoseconds. The size of the number tells the
-- unit, since only the years 2000 to 2100 count.
create or replace macro epoch_microseconds(number) as case
    when number < 100000000000 then number * 1000000
    when number < 100000000000000 then number * 1000
    when number < 100000000000000000 then number
    else number // 1000
end;

-- Months by name as numbers, in a date such as 2026-NOV-20.
create or replace macro numbered_month(text) as replace(
    replace(
        replace(
            replace(
                replace(
                    replace(
                        replace(
                            replace(
                                replace(
                                    replace(
                                        replace(replace(text, '-JAN-', '-01-'), '-FEB-', '-02-'), '-MAR-', '-03-'
                                    ),
                                    '-APR-',
                                    '-04-'
                                ),
                                '-MAY-',
                                '-05-'
                            ),
                            '-JUN-',
                            '-06-'
                        ),
                        '-JUL-',
                        '-07-'
                    ),
                    '-AUG-',
                    '-08-'
                ),
                '-SEP-',
                '-09-'
            ),
            '-OCT-',
            '-10-'
        ),
        '-NOV-',
        '-11-'
    ),
    '-DEC-',
    '-12-'
);

-- Times in words (upper case), as an ISO date and time with the offset, if there is one: JavaScript's Date.toString()
-- ("FRI NOV 20 2026 12:00:00 GMT+0100 (CET)"), C's asctime() and date ("FRI NOV 20 12:00:00 UTC 2026"), RFC 2822 and
-- HTTP ("FRI, 20 NOV 2026 12:00:00 GMT"). Any other text stays as it is, and so do zones by name, but for UTC.
create or replace macro iso_of_words(text) as numbered_month(
    regexp_replace(
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    text,
                    '^[A-Z]{3} ([A-Z]{3}) ([0-9]{1,2}) ([0-9]{4}) ([0-9:]{5,8})(?: (?:GMT|UTC)([+-][0-9]{4})?)?'
                    || '(?: \(.*\))?$',
                    '\3-\1-\2T\4\5'
                ),
                '^[A-Z]{3} ([A-Z]{3}) +([0-9]{1,2}) ([0-9:]{5,8})(?: (?:GMT|UTC|([+-][0-9]{4})))? ([0-9]{4})$',
                '\5-\1-\2T\3\4'
            ),
            '^(?:[A-Z]{3}, *)?([0-9]{1,2}) ([A-Z]{3}) ([0-9]{4}) ([0-9:]{5,8}) '
            || '(?:GMT|UTC?|Z|([+-][0-9]{4}))(?: \(.*\))?$',
            '\3-\2-\1T\4\5'
        ),
        '^([0-9]{4}-[A-Z]{3})-([0-9]T)',
        '\1-0\2'
    )
);

-- Other ways of writing ISO 8601 (upper case): basic ("20261120T120000Z"), slashes ("2026/11/20 12:00:00"), decimals
-- after a comma, a colon before the Z, the zone's name after its offset, as Go writes it.
create or replace macro iso_respelled(text) as regexp_replace(
    regexp_replace(
        regexp_replace(
            regexp_replace(
                regexp_replace(
                    text, '^([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})?', '\1-\2-\3T\4:\5:\6'
                ),
                '^([0-9]{4})/([0-9]{2})/([0-9]{2})( |T|$)',
                '\1-\2-\3\4'
            ),
            '^(.{10}[T ][0-9:]{8}),([0-9])',
            '\1.\2'
        ),
        '^(.{10}[T ][0-9:]{5,8}):(Z|[+-][0-9:]{2,5})?$',
        '\1\2'
    ),
    '^(.{10}[T ][0-9:.]+ ?[+-][0-9:]{2,5}) [A-Z]{1,5}$',
    '\1'
);

-- ISO 8601 with an offset, which the cast below reads the same in every session's time zone. A time without an offset,
-- and a date alone, count as UTC. '' for anything else.
create or replace macro iso_with_offset(text) as regexp_extract(
    regexp_replace(
        regexp_replace(
            regexp_replace(
                iso_respelled(iso_of_words(upper(trimmed(text)))), '^([0-9]{4}-[0-9]{2}-[0-9]{2})$', '\1T00:00Z'
            ),
            '^([0-9-]{10}[T ][0-9:]{5,8}(?:\.[0-9]+)?) ?(?:UTC|GMT|Z)?$',
            '\1Z'
        ),
        ' ([+-])',
        '\1'
    ),
    '^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?'
    || '(?:Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)$'
);

-- As event_timestamp(), for texts in any format.
create or replace macro any_event_timestamp(text) as list_filter(
    list_transform(
        [text],
        lambda given: case
            when
                regexp_full_match(
                    given,
                    '[0-9]{4}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?'
                    || '(?:Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?)'
                )
                then try_cast(given as timestamptz) at time zone 'UTC'
            when regexp_full_match(given, '\s*[0-9]{9,19}\s*')
                then make_timestamp(epoch_microseconds(try_cast(given as bigint)))
            when regexp_full_match(given, '\s*(?:[0-9]{9,19}\.[0-9]+|[0-9]{1,19}(?:\.[0-9]+)?[eE]\+?[0-9]{1,2})\s*')
                then make_timestamp(try_cast(round(epoch_microseconds(try_cast(given as double))) as bigint))
            else try_cast(iso_with_offset(given) as timestamptz) at time zone 'UTC'
        end
    ),
    lambda instant: instant >= timestamp '2000-01-01' and instant < timestamp '2101-01-01'
)[1];

-- A TIMESTAMP in UTC, in the years 2000 to 2100, from ISO 8601 or from an epoch in any unit. Cast by way of
-- TIMESTAMPTZ, because a cast to TIMESTAMP drops the offset silently.
create or replace macro event_timestamp(text) as case
    -- Fast path: most times are plain ISO 8601 of years that need no check.
    when
        regexp_full_match(
            text,
            '20(?:0[1-9]|[1-9][0-9])-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?'
            || '(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])'
        )
        then try_cast(text as timestamptz) at time zone 'UTC'
    else any_event_timestamp(text)
end;

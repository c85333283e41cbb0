-- Amounts, whole numbers, currencies and times, from the texts that client libraries send for them. Null for any other
-- text. Needs normalize.sql.

-- The digits of an amount, as written. Only a currency may be before or after them.
create or replace macro amount_digits(text) as regexp_extract(
    text,
    '(?i)^[\p{Z}\p{Cc}\p{Cf}]*(?:[^\x00-@\[-`{-\x{bf}\p{Sc}]{1,3}\.?\p{Z}*)?(?:\p{Sc}\p{Z}*)?'
    || '((?:[0-9](?:[0-9.,\x{27}\x{2019}\p{Z}]*[0-9])?|\.[0-9]+)(?:e[+-]?[0-9]+)?)'
    || '\p{Z}*(?:\p{Sc}|[^\x00-@\[-`{-\x{bf}\p{Sc}]{2,3}\.?)?[\p{Z}\p{Cc}\p{Cf}]*$',
    1
);

-- An amount of zero or more, as a DOUBLE, which is how JSON writes it. Rules of separators:
--   1. One point is the decimal point, whatever follows: "12.5", "1.299" (a number of JSON looks like this).
--   2. Commas, spaces or apostrophes between groups that end with three digits are thousands separators: "1,299",
--      "1,299.00", "1'299.00", "1,29,900". A comma before three digits is therefore no decimal comma, unless a zero
--      stands before it ("0,500").
--   3. Any other single comma is a decimal comma: "49,90", "1.299,00", "1 299,00".
--   4. Several points between groups of three digits are thousands separators: "1.299.000".
-- Everything else is no amount, negative numbers, NaN and Infinity among it.
create or replace macro money(text) as case
    -- A plain cast would fail on other rows' texts: of a column that holds few values, DuckDB computes a branch for
    -- each of them, whichever rows it belongs to.
    when regexp_full_match(text, '[0-9]{1,15}(?:\.[0-9]+)?') then try_cast(text as double)
    else list_filter(
        list_transform(
            [amount_digits(text)],
            lambda digits: try_cast(
                case
                    when regexp_full_match(digits, '(?i)[0-9]*\.?[0-9]+(?:e[+-]?[0-9]+)?') then digits
                    when
                        regexp_full_match(
                            digits,
                            '[1-9][0-9]{0,2}(?:[,\x{27}\x{2019}\p{Z}][0-9]{2,3})*'
                            || '[,\x{27}\x{2019}\p{Z}][0-9]{3}(?:\.[0-9]+)?'
                        )
                        then regexp_replace(digits, '[^0-9.]+', '', 'g')
                    when regexp_full_match(digits, '[0-9]+(?:[.\x{27}\x{2019}\p{Z}][0-9]{3})*,[0-9]+')
                        then replace(regexp_replace(digits, '[^0-9,]+', '', 'g'), ',', '.')
                    when regexp_full_match(digits, '[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,}') then replace(digits, '.', '')
                end as double
            )
        ),
        lambda amount: isfinite(amount)
    )[1]
end;

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

-- Consent that is written as a string: IAB's TC, GPP and US privacy strings, Google's gcs and gcd. Each macro gives a
-- list of answers {purpose, answer}; an answer of null means that the string cannot be read.
-- The facts are in docs/identity.md, "Consent strings".

-- The six bits of one character of a base64url text, counted from 1.
create or replace macro base64url_digit(text, place) as
strpos('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', substr(text, place, 1)) - 1;

-- A TC string of version 2. The consents to purposes begin at bit 152 of its core, so that they are always in the same
-- two characters: purposes 1 to 4 end the 26th, purposes 5 to 10 are the 27th.
create or replace macro tc_string_answers(text) as list_transform(
    [{ 'first': base64url_digit(text, 26), 'second': base64url_digit(text, 27) }],
    lambda bits: [
        { 'purpose': 'tcfpurpose1', 'answer': bits.first & 8 > 0 },
        { 'purpose': 'tcfpurpose3', 'answer': bits.first & 2 > 0 },
        { 'purpose': 'tcfpurpose4', 'answer': bits.first & 1 > 0 },
        { 'purpose': 'tcfpurpose7', 'answer': bits.second & 8 > 0 }
    ]
)[1];

-- Google's gcs, G1xy: x is ad_storage, y is analytics_storage.
create or replace macro gcs_answers(text) as list_filter(
    [
        { 'purpose': 'adstorage', 'answer': map_extract_value(map { '1': true, '0': false }, substr(text, 3, 1)) },
        {
            'purpose': 'analyticsstorage',
            'answer': map_extract_value(map { '1': true, '0': false }, substr(text, 4, 1))
        }
    ],
    lambda given: given.answer is not null
);

-- Google's gcd: a letter for each purpose, which tells default and update together. The letter l means: never set.
create or replace macro gcd_answers(text) as list_transform(
    list_filter(
        [
            { 'purpose': 'adstorage', 'letter': substr(text, 3, 1) },
            { 'purpose': 'analyticsstorage', 'letter': substr(text, 5, 1) },
            { 'purpose': 'aduserdata', 'letter': substr(text, 7, 1) },
            { 'purpose': 'adpersonalization', 'letter': substr(text, 9, 1) }
        ],
        lambda given: given.letter != 'l'
    ),
    lambda given: {
        'purpose': if(given.letter in ('t', 'r', 'n', 'v', 'p', 'q', 'm', 'u'), given.purpose, 'gcd'),
        'answer': map_extract_value(
            map {
                't': true, 'r': true, 'n': true, 'v': true,
                'p': false, 'q': false, 'm': false, 'u': false
            },
            given.letter
        )
    }
);

-- A US privacy string: its third character says whether the person has opted out of the sale of their data.
create or replace macro us_privacy_answers(text) as list_filter(
    [
        {
            'purpose': 'optoutofsale',
            'answer': map_extract_value(map { 'y': true, 'n': false }, lower(substr(text, 3, 1)))
        }
    ],
    lambda given: given.answer is not null
);

-- The bits of a base64url text, as a text of zeros and ones.
create or replace macro base64url_bits(text) as array_to_string(
    list_transform(range(1, strlen(text) + 1), lambda place: lpad(bin(base64url_digit(text, place)), 6, '0')), ''
);

-- A number in Fibonacci code: the sum of the Fibonacci numbers whose bits are set, without the last bit.
create or replace macro fibonacci_number(code) as list_sum(
    list_transform(
        range(1, strlen(code)),
        lambda place: if(substr(code, place, 1) = '1', [1, 2, 3, 5, 8, 13, 21, 34, 55, 89][place], 0)
    )
);

-- The ids of the sections of a GPP string. Its header lists them, from the fifth character on: an item is a zero and
-- the distance from the id before, or a one and two distances, which are the ends of a range.
create or replace macro gpp_section_ids(header) as flatten(list_transform( -- noqa: LT01
    [ -- noqa: PRS
        list_transform(
            regexp_extract_all(
                base64url_bits(substr(header, 5)), '0(?:0|10)*11|1(?:0|10)*11(?:0|10)*11'
            )[:base64url_digit(header, 3) * 64 + base64url_digit(header, 4)],
            lambda item: if(
                item[1] = '0',
                [fibonacci_number(item[2:]), 0],
                [
                    fibonacci_number(regexp_extract(item[2:], '^(?:0|10)*11')),
                    fibonacci_number(item[2 + strlen(regexp_extract(item[2:], '^(?:0|10)*11')):])
                ]
            )
        )
    ],
    lambda items: list_transform(
        items,
        lambda item, place: list_transform(
            [list_sum(flatten(items[:place]))], lambda last: range((last - item[2])::bigint, (last + 1)::bigint)
        )[1]
    )
)[1]);

-- Where the opt-outs of sale, sharing and targeted advertising begin in the core of a US section, in bits, by the
-- section's id. Each takes two bits: 1 is an opt-out, 2 is none, 0 is not applicable.
create or replace macro us_opt_out_bits(section) as case section
    when 7 then [18, 20, 22]  -- national
    when 8 then [12, 14]  -- California: sale and sharing
    when 11 then [14, 16]  -- Utah
    when 18 then [14, 16]  -- Iowa
    else case when section between 9 and 23 then [12, 14] when section between 24 and 27 then [16, 18] end
end;

-- A US section of a GPP string: its core, and after a point whether the browser sends Global Privacy Control.
create or replace macro us_section_answers(section, text) as list_transform(
    [
        (
            (base64url_digit(text, 1) * 64 + base64url_digit(text, 2)) * 64 + base64url_digit(text, 3)
        ) * 64 + base64url_digit(text, 4)
    ],
    lambda bits: [
        {
            'purpose': 'optoutofsale',
            'answer': base64url_digit(split_part(text, '.', 2), 1) // 8 = 3
            or list_bool_or(list_transform(us_opt_out_bits(section), lambda place: (bits >> (22 - place)) & 3 = 1))
        }
    ]
)[1];

-- A section of a GPP string. Sections of other laws, and of versions that came later, cannot be read.
create or replace macro gpp_section_answers(section, text) as case
    when section = 2 and text[1] = 'C' and strlen(text) > 26 then tc_string_answers(text)
    when section = 6 and strlen(text) = 4 then us_privacy_answers(text)
    when
        us_opt_out_bits(section) is not null
        and strlen(split_part(text, '.', 1)) >= 4
        and (text[1] = 'B' or (section = 7 and text[1] = 'C'))
        then us_section_answers(section, text)
    else [{ 'purpose': 'gpp', 'answer': null::boolean }]
end;

-- A GPP string: a header and sections, separated by tildes.
create or replace macro gpp_answers(text) as list_transform(
    [{ 'ids': gpp_section_ids(split_part(text, '~', 1)), 'sections': string_split(text, '~')[2:] }],
    lambda gpp: case
        when len(gpp.ids) = len(gpp.sections)
            then flatten(
                list_transform( -- noqa: LT01
                    gpp.sections, lambda section, place: gpp_section_answers(gpp.ids[place], section) -- noqa: PRS
                )
            )
        else [{ 'purpose': 'gpp', 'answer': null::boolean }]
    end
)[1];

-- The answers of a consent string of any kind.
create or replace macro consent_string_answers(text) as case
    when contains(text, '~') then gpp_answers(text)
    when text[1] = 'C' then tc_string_answers(text)
    when text[1] = 'G' then gcs_answers(text)
    when strlen(text) = 4 then us_privacy_answers(text)
    else gcd_answers(text)
end;

-- What these strings look like among the values of a JSON text, between quotes. The first group is the string. A TC
-- string has its language, two letters, in the 19th and 20th place, which tells it from most ids that begin with a C.
create or replace macro consent_string_pattern() as
'"(C[\w-]{17}[A-Z]{2}[\w-]{7,}(?:\.[\w.-]*)?|G1[01-]{2}|1[0-9][a-zA-Z](?:[0-9][a-zA-Z]){3}[0-9a-zA-Z]*|1[YyNn-]{3}'
|| '|D[\w-]{4,}(?:~[\w.-]+)+)"';

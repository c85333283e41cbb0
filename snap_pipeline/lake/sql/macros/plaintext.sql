-- Plaintext inside other texts: e-mail addresses and phone numbers that a visitor typed into a search box, or a shop
-- put into an id, a product's name or a page's address. One definition, has_plaintext(), serves both the redaction and
-- the check that nothing was missed (plaintext_columns.sql).
--
-- An e-mail address is the text around an @, with a domain of any script after it. A phone number is a + or tel: with
-- seven digits or more after it, with or without separators; without a + it cannot be told from an order or article
-- number. Both are found as plain text, percent-encoded at any depth, as HTML entities (&#64; &#x40; &commat; &plus;),
-- as JSON escapes (\u0040) and with full-width signs, also one within the other. Texts that only a human reads as an
-- address ("ann at example.com") are not found.

-- The pattern of plaintext in a decoded text. Local parts and domains may have letters and digits of any script; the
-- classes list what is not allowed, since RE2 compiles those much faster than \p{L}. The first character of a local
-- part is narrower than the others: an apostrophe or a brace before it belongs to the text around it. The group
-- captures the character before a number.
create or replace macro plaintext_pattern() as
'(?:[^\x00-\x20"\x27(),:;<>@\[\\\]{}/?&=%|\x{7f}-\x{a0}\x{2000}-\x{206f}\x{3000}]'
|| '[^\x00-\x20"(),:;<>@\[\\\]/?&\x{7f}-\x{a0}\x{2000}-\x{206f}\x{3000}]*|[\x27{}%=|]+|"[^"@]{1,64}")@'
|| '(?:[^\x00-,./:-@\[-^`{-\x{bf}\x{2000}-\x{206f}\x{3000}-\x{303f}\x{fe00}-\x{ff0f}]+\.)+'
|| '(?:xn--[0-9A-Za-z-]+|[A-Za-z]{2,}|[A-Za-z]*[^\x00-\x{bf}\x{2000}-\x{206f}\x{3000}-\x{303f}\x{fe00}-\x{ff0f}]+)'
|| '|(^|[^0-9A-Za-z+])(?:[tT][eE][lL]:\p{Z}*\+?|\+)(?:[\t-\r\p{Z}\p{Pd}.()/+]*[0-9٠-٩۰-۹０-９]){7,}';

-- A cheap first test: false means that there is no plaintext, so that few texts are left to decode.
create or replace macro looks_like_plaintext(text) as regexp_matches(
    text,
    '[@＠﹫＋]|[+][^0-9A-Za-z]*[0-9٠-٩۰-۹０-９]|[eE][lL](?::|%)|%(?:25)*(?:40|2[bB]|26|5[cC]|[eE][fF])'
    || '|&(?:amp|#|commat|period|plus)|\\+u'
);

-- Percent-decoded, with bytes that are no UTF-8 left as they are: they must not hide the rest.
create or replace macro percent_decoded_leniently(text) as coalesce(
    try(url_decode(text)),
    array_to_string(
        list_transform(
            regexp_extract_all(text, '(?:%[0-9A-Fa-f]{2})+|[^%]+|%'),
            lambda run: coalesce(
                try(url_decode(run)), try(url_decode(regexp_replace(run, '%[89A-Fa-f][0-9A-Fa-f]', 'x', 'g'))), run
            )
        ),
        ''
    )
);

-- The text after a &#, with the entity at its start decoded; null if there is no valid entity.
create or replace macro decoded_entity(part) as
try(
    chr(
        try_cast(
            regexp_replace(regexp_extract(part, '^(?:[xX]0*[0-9A-Fa-f]{1,6}|0*[0-9]{1,7})'), '^[xX]', '0x') as integer
        )
    )
)
|| regexp_replace(part, '^(?:[xX]0*[0-9A-Fa-f]{1,6}|0*[0-9]{1,7});?', '');

create or replace macro entities_decoded(text) as array_to_string(
    list_transform( -- noqa: LT01
        string_split(text, '&#'), -- noqa: PRS
        lambda part, place: case when place = 1 then part else coalesce(decoded_entity(part), '&#' || part) end
    ),
    ''
);

-- The text as a reader sees it: percent-encoding and entities decoded, twice in turn for one within the other, without
-- invisible characters, and with plain signs in place of full-width ones.
create or replace macro readable_text(text) as translate(
    regexp_replace(
        list_reduce( -- noqa: LT01
            [text, '%', '&', '%', '&'], -- noqa: PRS
            lambda given, way: case
                when way = '%' and contains(given, '%')
                    then percent_decoded_leniently(regexp_replace(given, '%(?:25)+', '%', 'g'))
                when way = '&' and regexp_matches(given, '&|\\+u')
                    then entities_decoded(
                        regexp_replace(
                            replace(
                                replace(
                                    replace(
                                        replace(regexp_replace(given, '&(?:amp;)+', '&', 'g'), '&commat;', '@'),
                                        '&period;',
                                        '.'
                                    ),
                                    '&plus;',
                                    '+'
                                ),
                                '&nbsp;',
                                ' '
                            ),
                            '\\+u([0-9A-Fa-f]{4})',
                            '&#x\1;',
                            'g'
                        )
                    )
                else given
            end
        ),
        '\p{Cf}+',
        '',
        'g'
    ),
    '＠﹫．。｡﹒＋',
    '@@....+'
);

create or replace macro has_plaintext(text) as
case when looks_like_plaintext(text) then regexp_matches(readable_text(text), plaintext_pattern()) else false end;

-- The decoded text without its plaintext; null if nothing remains, or if the rest has plaintext again. A text without
-- plaintext stays byte for byte. Not for JSON text, which an escape before an address would break: decode values first.
create or replace macro without_plaintext(text) as case
    when looks_like_plaintext(text)
        then list_transform(
            [readable_text(text)],
            lambda readable: list_transform(
                [regexp_replace(readable, plaintext_pattern(), '\1', 'g')],
                lambda rest: case
                    when rest = readable then text
                    when rest <> '' and not regexp_matches(rest, plaintext_pattern()) then rest
                end
            )[1]
        )[1]
    else text
end;

-- The id, or its digest if it has plaintext: cutting the plaintext out would turn several ids into one.
create or replace macro id_without_plaintext(text) as
case when has_plaintext(text) then sha256(text) else text end;

-- A map from each text with plaintext to the rest of it; null if no text has any. The expressions above take
-- milliseconds to plan, and inside a list are compiled for every chunk of rows: so a first test covers all texts of a
-- row at once.
create or replace macro plaintext_replacements(texts) as case
    when looks_like_plaintext(array_to_string(texts, ' '))
        then map_from_entries(
            list_filter(
                list_transform(list_distinct(texts), lambda text: { 'given': text, 'rest': without_plaintext(text) }),
                lambda change: change.given is distinct from change.rest
            )
        )
end;

create or replace macro replaced(text, replacements) as
case when map_contains(replacements, text) then map_extract_value(replacements, text) else text end;

create or replace macro all_replaced(texts, replacements) as case
    when replacements is null then texts
    else nullif(
        list_filter(list_transform(texts, lambda text: replaced(text, replacements)), lambda text: text is not null), []
    )
end;

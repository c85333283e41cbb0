-- Normalization of match parameters, in the form that Snap hashes or takes as it is (snap-api.md, sections 2.2 and
-- 3.4). Each macro takes a text and returns null for an unusable one. Phone numbers, places and IP addresses have files
-- of their own. Loaded first: the macros of all other files may use those of this one.
--
-- DuckDB may compute an argument as often as a macro names it, as nullif() names its own twice. So these are chains of
-- regular expressions that name their argument once, where '' stands for an unusable text until the end.

-- The text, or null if it is ''; unlike nullif(), computes its argument once. Worth it for a long chain.
create or replace macro null_if_empty(text) as list_filter([text], lambda given: given <> '')[1];

create or replace macro trimmed_or_empty(text) as
regexp_replace(text, '^[\p{Z}\p{Cc}\p{Cf}]+|[\p{Z}\p{Cc}\p{Cf}]+$', '', 'g');

create or replace macro empty_if_blank(text) as regexp_replace(
    text,
    '(?i)^[\p{Z}\p{Cc}\p{Cf}]*(?:null|undefined|nan|none|n/a|\[object object\])[\p{Z}\p{Cc}\p{Cf}]*$'
    || '|^[\p{Z}\p{Cc}\p{Cf}]+|[\p{Z}\p{Cc}\p{Cf}]+$',
    '',
    'g'
);

-- The text without white space, control characters and invisible characters (zero-width space, byte order mark, marks
-- of writing direction) at both ends; null if nothing remains.
create or replace macro trimmed(text) as nullif(trimmed_or_empty(text), '');

-- The trimmed text, or null if it is blank or a word for a missing value, as JavaScript and Python print it.
create or replace macro null_if_blank(text) as case
    -- Fast path: most texts begin and end with a visible character, and not as such a word does. The first expression
    -- reads two characters only.
    when
        regexp_matches(
            text,
            '^(?:[!-MO-TV-Z\\-mo-tv-~]|[Nn][!-.0-@B-NP-TV-`b-np-tv-~]|[Uu][!-MO-mo-~]|\[[!-NP-np-~])'
        )
        and regexp_matches(text, '[!-~]$')
        then text
    else nullif(empty_if_blank(text), '')
end;

-- As null_if_blank(), for a key that has one value: '{}', which is no name and no place, for an object, a list or the
-- mark of a template that was not filled in ({{name}}, ${name}, %%NAME%%, <%= name %>, *|NAME|*).
create or replace macro single_text(text) as case
    when
        regexp_matches(
            text, '^(?:[!"&-)+-;=?A-MO-TV-Z\\-mo-tv-z|-~]|[Nn][!-.0-@B-NP-TV-`b-np-tv-~]|[Uu][!-MO-mo-~])'
        )
        and regexp_matches(text, '[!-~]$')
        then text
    else nullif(
        regexp_replace(
            regexp_replace(empty_if_blank(text), '^(?:\[\s*\]|\{\s*\})$', ''),
            '(?s)^(?:\[\s*["\[{0-9n].*\]|[#$@]?\{.*\}|%{1,2}\w+%{1,2}|<%.*%>|\*\|.*\|\*)$',
            '{}'
        ),
        ''
    )
end;

-- Lower case in Unicode's composed form (NFC). Composed before and after, because some letters have a composed form in
-- one case only.
create or replace macro folded_case(text) as nfc_normalize(lower(nfc_normalize(text)));

-- The text, or null if it has no letter or is a digest.
create or replace macro null_if_wordless(text) as
null_if_empty(regexp_replace(text, '(?i)^(?:\P{L}*|[0-9a-f]{32,})$', ''));

-- A SHA-256 digest that the site sent in place of a value, in lower case. The digest of the empty string counts as no
-- value.
create or replace macro given_digest(text) as case
    when strlen(text) >= 64
        then null_if_empty(
            replace(
                regexp_extract(lower(trimmed_or_empty(text)), '^[0-9a-f]{64}$'),
                'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
                ''
            )
        )
end;

-- Letters of any script are allowed before the @ and in the domain; the classes list what is not allowed, because RE2
-- compiles those much faster than \p{L}.
create or replace macro normalized_email(text) as null_if_empty(
    folded_case(
        regexp_extract(
            regexp_replace(
                text, '(?i)^[\p{Z}\p{Cc}\p{Cf}]*(?:mailto:)?[\p{Z}\p{Cc}\p{Cf}]*|[\p{Z}\p{Cc}\p{Cf}]+$', '', 'g'
            ),
            '^[^\x00-\x20"(),:;<>@\[\\\]\x{7f}-\x{a0}\x{ad}\x{2000}-\x{206f}\x{3000}\x{feff}]+'
            || '@(?:[^\x00-,./:-@\[-`{-\x{bf}\x{2000}-\x{206f}\x{3000}-\x{303f}\x{fe00}-\x{ff20}]+\.)+'
            || '(?:xn--[0-9A-Za-z-]+|[^\x00-@\[-`{-\x{bf}\x{2000}-\x{206f}\x{3000}-\x{303f}\x{fe00}-\x{ff20}]{2,})$'
        )
    )
);

-- Tells whether a text is a SHA-256 digest, or a list of digests as DuckDB prints it. Trimming digits is far quicker
-- than matching them.
create or replace macro is_digest(text) as case
    when strlen(text) = 64 then ltrim(text, '0123456789abcdef') = ''
    else regexp_full_match(text, '\[?[0-9a-f]{64}(?:, [0-9a-f]{64})*\]?')
end;

create or replace macro hashed_email(text) as coalesce(given_digest(text), sha256(normalized_email(text)));

-- First and last names: no punctuation, letters of all scripts kept (snap-api.md, section 3.4). Snap takes
-- spaces out of cities only, so a space inside a name stays.
create or replace macro normalized_name(text) as null_if_wordless(
    folded_case(
        regexp_replace(
            empty_if_blank(regexp_replace(empty_if_blank(text), '[\p{P}\p{S}]+', '', 'g')),
            '[\p{Z}\p{Cc}]+',
            ' ',
            'g'
        )
    )
);

create or replace macro hashed_name(text) as coalesce(given_digest(text), sha256(normalized_name(text)));

-- Version 2 only trims and lowers (snap-api.md, section 2.2).
create or replace macro hashed_name_v2(text) as
coalesce(given_digest(text), sha256(null_if_wordless(folded_case(empty_if_blank(text)))));

-- m or f; null for words that do not mean one of them for certain.
create or replace macro normalized_gender(text) as map_extract_value(
    map {
        'm': 'm', 'male': 'm', 'man': 'm', 'mann': 'm', 'männlich': 'm', 'homme': 'm',
        'f': 'f', 'female': 'f', 'w': 'f', 'woman': 'f', 'frau': 'f', 'weiblich': 'f', 'femme': 'f'
    },
    folded_case(trimmed_or_empty(text))
);

create or replace macro hashed_gender(text) as coalesce(given_digest(text), sha256(normalized_gender(text)));

create or replace macro user_agent(text) as case
    -- Fast path: most are plain, and too long to be a word for a missing value.
    when strlen(text) > 20 and regexp_full_match(text, '[!-~][ -~]*[!-~]') then text
    else null_if_blank(regexp_replace(text, '\p{Cc}+', '', 'g'))
end;

-- An IDFA, AAID or IDFV as a lower-case UUID; null for the one of zeros, which devices send whose owner has opted out.
create or replace macro advertising_id(text) as null_if_empty(
    regexp_replace(
        regexp_replace(
            regexp_extract(
                lower(trimmed_or_empty(text)), '^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32})$'
            ),
            '^(.{8})-?(.{4})-?(.{4})-?(.{4})-?(.{12})$',
            '\1-\2-\3-\4-\5'
        ),
        '^[0-]+$',
        ''
    )
);

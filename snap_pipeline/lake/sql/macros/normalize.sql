-- What people, browsers and devices are known by, in the form that Snap hashes or takes as it is (snap-api.md, sections
-- 2.2 and 3.4). Each macro takes a text and gives null where the text is of no use. Phone numbers, places and network
-- addresses have files of their own. Loaded first: the macros of all other files may use those of this one.
--
-- An argument that a macro names once is computed once; one that it names twice, as nullif() does, may be computed
-- twice. So these are chains of regular expressions, where '' stands for "no use" until the end.

-- '' as null; unlike nullif(), computes its argument once. Worth it for a long chain.
create or replace macro nonempty(text) as list_filter([text], lambda given: given <> '')[1];

create or replace macro trimmed_or_empty(text) as
regexp_replace(text, '^[\p{Z}\p{Cc}\p{Cf}]+|[\p{Z}\p{Cc}\p{Cf}]+$', '', 'g');

create or replace macro present_or_empty(text) as regexp_replace(
    text,
    '(?i)^[\p{Z}\p{Cc}\p{Cf}]*(?:null|undefined|nan|none|n/a|\[object object\])[\p{Z}\p{Cc}\p{Cf}]*$'
    || '|^[\p{Z}\p{Cc}\p{Cf}]+|[\p{Z}\p{Cc}\p{Cf}]+$',
    '',
    'g'
);

-- Without white space, control characters and invisible characters (zero-width space, byte order mark, marks of
-- writing direction) at both ends; null where nothing remains.
create or replace macro trimmed(text) as nullif(trimmed_or_empty(text), '');

-- The trimmed text, or null where it only says that there is no value, as JavaScript and Python print it.
create or replace macro present(text) as case
    -- Most texts begin and end with a visible character, and not as such a word does. The first expression reads two
    -- characters only.
    when
        regexp_matches(
            text,
            '^(?:[!-MO-TV-Z\\-mo-tv-~]|[Nn][!-.0-@B-NP-TV-`b-np-tv-~]|[Uu][!-MO-mo-~]|\[[!-NP-np-~])'
        )
        and regexp_matches(text, '[!-~]$')
        then text
    else nullif(present_or_empty(text), '')
end;

-- Lower case in Unicode's composed form. Composed before and after, because some letters have a composed form in one
-- case only.
create or replace macro folded_case(text) as nfc_normalize(lower(nfc_normalize(text)));

-- The text, if it holds a letter and is no digest.
create or replace macro worded(text) as
nonempty(regexp_replace(text, '(?i)^(?:\P{L}*|[0-9a-f]{32,})$', ''));

-- A SHA-256 digest that was given in place of a value, in lower case. The digest of the empty string stands for no
-- value.
create or replace macro given_digest(text) as case
    when strlen(text) >= 64
        then nonempty(
            replace(
                regexp_extract(lower(trimmed_or_empty(text)), '^[0-9a-f]{64}$'),
                'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
                ''
            )
        )
end;

-- Letters of any script may stand before the @ and in the domain; the classes say what may not, because RE2 compiles
-- those much faster than \p{L}.
create or replace macro normalized_email(text) as nonempty(
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

-- A SHA-256 digest, or a list of such as DuckDB writes it. Taking the digits away is far quicker than matching them.
create or replace macro is_digest(text) as case
    when strlen(text) = 64 then ltrim(text, '0123456789abcdef') = ''
    else regexp_full_match(text, '\[?[0-9a-f]{64}(?:, [0-9a-f]{64})*\]?')
end;

create or replace macro hashed_email(text) as coalesce(given_digest(text), sha256(normalized_email(text)));

-- First and last names: no punctuation, letters of all scripts kept (snap-api.md, section 3.4). Snap takes
-- spaces out of cities only, so a space inside a name stays.
create or replace macro normalized_name(text) as worded(
    folded_case(
        regexp_replace(
            present_or_empty(regexp_replace(present_or_empty(text), '[\p{P}\p{S}]+', '', 'g')),
            '[\p{Z}\p{Cc}]+',
            ' ',
            'g'
        )
    )
);

create or replace macro hashed_name(text) as coalesce(given_digest(text), sha256(normalized_name(text)));

-- Version 2 only trims and lowers (snap-api.md, section 2.2).
create or replace macro hashed_name_v2(text) as
coalesce(given_digest(text), sha256(worded(folded_case(present_or_empty(text)))));

-- m or f; words that mean neither for certain give null.
create or replace macro normalized_gender(text) as map_extract_value(
    map {
        'm': 'm', 'male': 'm', 'man': 'm', 'mann': 'm', 'männlich': 'm', 'homme': 'm',
        'f': 'f', 'female': 'f', 'w': 'f', 'woman': 'f', 'frau': 'f', 'weiblich': 'f', 'femme': 'f'
    },
    folded_case(trimmed_or_empty(text))
);

create or replace macro hashed_gender(text) as coalesce(given_digest(text), sha256(normalized_gender(text)));

create or replace macro user_agent(text) as case
    -- Most are plain, and too long to be a word for nothing.
    when strlen(text) > 20 and regexp_full_match(text, '[!-~][ -~]*[!-~]') then text
    else present(regexp_replace(text, '\p{Cc}+', '', 'g'))
end;

-- An IDFA, AAID or IDFV as a lower-case UUID. The one of zeros is what a device gives whose owner has opted out.
create or replace macro advertising_id(text) as nonempty(
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

-- The regular expression that finds ids that stand for nobody in a list of ids, separated by '\x1f\x1f': the words of
-- the seed placeholder_ids.csv, and forms that no list can hold. Reads `placeholder_ids_rows`.
--
-- It is one expression, since DuckDB compiles each in every statement that uses it. RE2 has no back references, so each
-- repeated character has a branch of its own.
with words as (
    select distinct lower(trimmed(placeholder_id)) as word
    from placeholder_ids_rows
    where trimmed(placeholder_id) is not null
),

-- Its parts may be joined by anything, as in not_set, notSet and "not set".
word_choices as (
    select
        string_agg(
            regexp_replace(
                regexp_escape(regexp_replace(ltrim(word, '-'), '[\s_.:/-]+', ' ', 'g')), '\\? ', '[\\s_.:/-]*', 'g'
            ),
            '|'
        ) as choices
    from words
),

branches as (
    -- Also several words after one another: "user: unknown", "undefined-undefined".
    select '(?:' || choices || ')(?:[^0-9a-z\x1f\x{80}-\x{10ffff}]+(?:' || choices || '))*' as branch
    from word_choices
    union all
    -- Sites that hash their ids hash these, too.
    select md5(word) || '|' || sha1(word) || '|' || sha256(word)
    from (select unnest(['', '0', 'null', 'undefined', 'none', 'nan', 'anonymous', 'guest', 'unknown']) as word)
    union all
    -- Zeros, also as an amount, an address or a UUID of any version; Arabic and full-width ones, too.
    select '[0٠۰０](?:[-.:, ]*[0٠۰０])*|0{8}-?0{4}-?[0-9a-f]000-?[0-9a-f]000-?0{12}'
    union all
    -- One repeated character, but of other digits four or more: 7, 11 and 111 are real customers and orders.
    select string_agg(chr(code::integer) || '(?:[-_.: ]*' || chr(code::integer) || ')+', '|')
    from range(ascii('a'), ascii('z') + 1) as letters (code)
    union all
    select string_agg(digit || '(?:[-_.: ]*' || digit || '){3,}', '|')
    from range(1, 10) as digits (digit)
)

select
    '(?i)(?:^|\x1f)('
    -- Quotes, brackets and signs may be around it.
    || '[^0-9a-z\x1f\x{80}-\x{10ffff}]*(?:' || string_agg(branch, '|') || ')[^0-9a-z\x1f\x{80}-\x{10ffff}]*'
    -- Signs alone.
    || '|(?:[^0-9a-z\x1f\x{80}-\x{10ffff}]*(?:[!-/:-@\[-`{-~]|\p{Pd}|…)[^0-9a-z\x1f\x{80}-\x{10ffff}]*)+'
    -- Small negative numbers, and nines.
    || '|-(?:[0-9]{1,3}|9+)(?:\.0+)?'
    -- The mark of a template that was not filled in, anywhere: {{user.id}}, ${id}, #{id}, <%= id %>, *|ID|*, [[id]].
    || '|[^\x1f]*(?:\{\{|[$#@]\{|\{[%!#]|<%|<\?|\[\[|\*\||%7B%7B|%24%7B)[^\x1f]*'
    -- Such a mark as the whole id: {user_id}, [USER_ID], <user_id>, %%ID%%, __USER_ID__, $user_id, :id.
    || '|\{[a-z_][a-z_. ]*\}|\[[a-z_][a-z_. ]*\]|<[a-z_][a-z_. ]*>|%{1,2}[a-z_][a-z_. ]*%{0,2}|__[a-z_]+__'
    || '|[$:@](?:[a-z_]+[_.]|user|customer|client|order)?id'
    || ')(?:\x1f|$)' as placeholder_pattern
from branches

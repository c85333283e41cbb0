-- Names of events and consent purposes. Needs normalize.sql.

-- The key by which names are compared: without case, spaces, hyphens and underscores, so that "Order Completed",
-- "order_completed" and "orderCompleted" are one name.
create or replace macro folded_name(text) as
null_if_empty(folded_case(regexp_replace(text, '[\p{Z}\s_\p{Pd}]+', '', 'g')));

-- A word that the pipeline does not know, as metadata show it: texts that are no single plain word, and so may be
-- personal, are one kind.
create or replace macro shown_word(text) as case
    when strlen(text) <= 32 and regexp_full_match(text, '[A-Za-z]+(?:[ _-][A-Za-z]+){0,3}') then lower(text)
    else 'other'
end;

-- The custom event name of an event without a Snap name: upper case, words joined by underscores. A capital after a
-- small letter begins a word, as does the last of several capitals before a small letter. Null for words such as
-- [null].
create or replace macro upper_snake_name(text) as null_if_empty(
    regexp_replace(
        upper(
            regexp_replace(
                regexp_replace(
                    regexp_replace(
                        regexp_replace(nfc_normalize(text), '(\p{Ll}[0-9]*)(\p{Lu})', '\1_\2', 'g'),
                        '([A-Z])([A-Z][a-z])',
                        '\1_\2',
                        'g'
                    ),
                    '[^\p{L}\p{M}\p{N}]+',
                    '_',
                    'g'
                ),
                '^_+|_+$',
                '',
                'g'
            )
        ),
        '^(?:NULL|UNDEFINED|NAN|NONE)$',
        ''
    )
);

-- Names of events and consent purposes. Needs normalize.sql.

-- The form in which names are compared: case, spaces, hyphens and underscores make no difference, so that
-- "Order Completed", "order_completed" and "orderCompleted" are one name.
create or replace macro folded_name(text) as
nonempty(folded_case(regexp_replace(text, '[\p{Z}\s_\p{Pd}]+', '', 'g')));

-- The name under which an event goes out that has no Snap name: upper case, words joined by underscores. A capital
-- after a small letter begins a word, as does the last of several capitals before a small letter. What comes to a word
-- for nothing, such as [null], is no name.
create or replace macro upper_snake_name(text) as nonempty(
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

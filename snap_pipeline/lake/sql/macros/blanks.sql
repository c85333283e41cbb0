-- Blank texts in JSON: what null_if_blank() does to one text, done to all values of a line at once. raw_events.sql
-- reads some seventy values a line, and planning and computing that macro for each would cost more than all else.

-- A blank character of a text in JSON, as itself or escaped.
create or replace macro json_blank() as '(?:[\p{Z}\p{Cc}\p{Cf}]|\\[bfnrt]'
|| '|\\u(?i:00[01][0-9a-f]|00(?:20|7f|[89][0-9a-f]|a0|ad)|06(?:0[0-5]|1c|dd)|070f|1680|180e'
|| '|20(?:0[0-9a-f]|2[89a-f]|5f|6[0-46-9a-f])|3000|feff|fff[9ab]|db40\\udc(?:01|[2-7][0-9a-f])))';

-- The words for a missing value, as null_if_blank() has them.
create or replace macro missing_words() as '(?i:null|undefined|nan|none|n/a|\[object object\])';

-- Pattern of values that are blank texts or words for missing values, or texts with blanks at an end. No text of JSON
-- has a quote right after a colon, so that this quote begins a value or ends one that ends with a colon; the latter
-- changes nothing, since blanks outside of texts mean nothing.
create or replace macro blank_text_pattern() as
':\s*"(?:"|' || json_blank() || '|' || missing_words() || '(?:"|' || json_blank() || '))'
|| '|' || json_blank() || '"\s*[,}]';

-- The line without blanks at both ends of texts, unless all else is backslashes. Behind a backslash that is escaped
-- itself, an n is a letter.
create or replace macro without_outer_blanks(line) as regexp_replace(
    line,
    '(:\s*")' || json_blank() || '+|([^\\](?:\\\\)*)' || json_blank() || '+(")',
    '\1\2\3',
    'g'
);

-- The line with null for texts without a character, and for words for missing values. Ids keep their words, so that
-- placeholders_among() counts them: of `userId` or `order_id`, not of `id` itself.
create or replace macro without_missing_words(line) as case
    when regexp_matches(line, ':\s*"' || missing_words() || '?"')
        then regexp_replace(
            line, '((?:[^dD]|[^iI][dD]|"[iI][dD])"\s*:\s*)"' || missing_words() || '"|(:\s*)""', '\1\2null', 'g'
        )
    else line
end;

-- The line without blank texts, as said above. Texts in lists, and JSON that is itself a text, are left to their
-- readers.
create or replace macro without_blank_texts(line) as list_transform(
    [without_outer_blanks(line)], lambda trimmed_line: without_missing_words(trimmed_line)
)[1];

-- What a consent object says of advertising. Which names mean it stands in the seed consent_purposes.csv, here as
-- the variable `consent_purposes`, a map from folded name to meaning.

-- A yes or no, however it is written: "opt-out", "Opted Out" and "optout" are one word.
create or replace macro is_consent_given(answer) as case lower(regexp_replace(answer, '[^A-Za-z0-9]+', '', 'g'))
    when 'true' then true
    when 'granted' then true
    when 'grant' then true
    when 'yes' then true
    when 'y' then true
    when '1' then true
    when 'on' then true
    when 'allow' then true
    when 'allowed' then true
    when 'accept' then true
    when 'accepted' then true
    when 'optin' then true
    when 'optedin' then true
    when 'false' then false
    when 'denied' then false
    when 'deny' then false
    when 'no' then false
    when 'n' then false
    when '0' then false
    when 'off' then false
    when 'disallow' then false
    when 'disallowed' then false
    when 'reject' then false
    when 'rejected' then false
    when 'decline' then false
    when 'declined' then false
    when 'refused' then false
    when 'revoked' then false
    when 'withdrawn' then false
    when 'optout' then false
    when 'optedout' then false
end;

-- An opt-out said with a flag (gpc), or with the third letter of the IAB's us_privacy string.
create or replace macro is_opted_out(answer) as
coalesce(is_consent_given(answer), regexp_matches(answer, '^[0-9][A-Za-z-][Yy]'), false);

-- The answers of an object to the purposes that the seed knows.
create or replace macro consent_answers(consent) as list_filter(
    list_transform(
        json_keys(consent),
        lambda name: {
            'meaning': getvariable('consent_purposes')[folded_name(name)],
            'answer': json_extract_string(consent, '/' || replace(replace(name, '~', '~0'), '/', '~1'))
        }
    ),
    lambda purpose: purpose.meaning is not null and purpose.answer is not null
);

-- denied, limited, granted, or null where nothing is said. One denied advertising purpose denies.
create or replace macro consent_of_answers(answers) as case
    when len(list_filter(answers, lambda p: p.meaning = 'advertising' and is_consent_given(p.answer) = false)) > 0
        then 'denied'
    when
        len(list_filter(
            answers,
            lambda p: (p.meaning = 'limited' and is_consent_given(p.answer) = false)
            or (p.meaning = 'opt_out_of_sale' and is_opted_out(p.answer))
        )) > 0
        then 'limited'
    when len(list_filter(answers, lambda p: p.meaning = 'advertising' and is_consent_given(p.answer))) > 0
        then 'granted'
end;

create or replace macro consent_state(consent) as
case when consent is not null then consent_of_answers(consent_answers(consent)) end;

-- An object with something in it: an empty one says nothing, and what stands elsewhere is looked for.
create or replace macro filled_object_of(value) as
case when len(json_keys(object_of(value))) > 0 then object_of(value) end;

-- OneTrust's groups, "C0001:1,C0004:0", as an object.
create or replace macro object_of_groups(value) as case
    when regexp_full_match(value ->> '$', '(?:[\w-]+:[01],?)+')
        then ('{"' || replace(replace(rtrim(value ->> '$', ','), ',', '","'), ':', '":"') || '"}')::json
end;

-- A plain yes or no in the place of an object: `"consent": false`, `"consent": "denied"`.
create or replace macro plain_answer_of(value) as
case when json_type(value) in ('BOOLEAN', 'VARCHAR', 'UBIGINT') then is_consent_given(value ->> '$') end;

-- Purposes, and a plain answer that was given beside them or alone. It is about advertising: a no always counts, a yes
-- where the purposes do not say otherwise.
create or replace macro with_plain_answer(purposes, answer) as case answer
    when false then json_merge_patch(coalesce(purposes, '{}'), '{"advertising":false}')
    when true then json_merge_patch('{"advertising":true}', coalesce(purposes, '{}'))
    else purposes
end;

-- The purposes of a consent object side by side: they stand at its top, or below a key of it, such as Segment's
-- categoryPreferences.
create or replace macro purposes_of(consent) as with_plain_answer(json_merge_patch(
    consent,
    coalesce(
        list_filter(
            list_transform(
                [
                    'categoryPreferences', 'category_preferences', 'consent', 'purposes', 'preferences', 'choice',
                    'groups'
                ],
                lambda name: coalesce(
                    filled_object_of(json_extract(consent, '/' || name)),
                    object_of_groups(json_extract(consent, '/' || name))
                )
            ),
            lambda below: below is not null
        )[1],
        '{}'
    )
), plain_answer_of(json_extract(consent, '/consent')));

-- The state of advertising consent in a consent object. The seed consent_purposes.csv lists the purposes that count;
-- here it is the variable `consent_purposes`, a map from folded name to meaning.

-- A yes or no in any spelling: "opt-out", "Opted Out" and "optout" are one word.
create or replace macro is_consent_given(answer) as map_extract_value(
    map {
        'true': true, 'granted': true, 'grant': true, 'yes': true, 'y': true, '1': true, 'on': true,
        'allow': true, 'allowed': true, 'accept': true, 'accepted': true, 'optin': true, 'optedin': true,
        'false': false, 'denied': false, 'deny': false, 'no': false, 'n': false, '0': false, 'off': false,
        'disallow': false, 'disallowed': false, 'reject': false, 'rejected': false, 'decline': false,
        'declined': false, 'refused': false, 'revoked': false, 'withdrawn': false, 'optout': false,
        'optedout': false
    },
    lower(regexp_replace(answer, '[^A-Za-z0-9]+', '', 'g'))
);

-- An opt-out, as a flag (gpc) or as the third letter of the IAB's us_privacy string.
create or replace macro is_opted_out(answer) as
coalesce(is_consent_given(answer), regexp_matches(answer, '^[0-9][A-Za-z-][Yy]'), false);

-- The answers of a consent object to the purposes of the seed.
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

-- The consent state of several answers, the strictest first: denied, limited, granted, or null if there is no answer.
-- An answer that is neither yes nor no does not count.
create or replace macro consent_of_answers(answers) as [
    'denied', 'limited', 'granted'
][
    list_min(
        list_transform(
            answers,
            lambda p: case p.meaning
                when 'advertising' then [1, 3][is_consent_given(p.answer)::integer + 1]
                when 'limited' then case when not is_consent_given(p.answer) then 2 end
                when 'opt_out_of_sale' then case when is_opted_out(p.answer) then 2 end
            end
        )
    )
];

create or replace macro consent_state(consent) as
case when consent is not null then consent_of_answers(consent_answers(consent)) end;

-- An object with at least one key, else null, so that coalesce() goes on to the next place.
create or replace macro nonempty_object_of(value) as
case when len(json_keys(object_of(value))) > 0 then object_of(value) end;

-- OneTrust's groups, "C0001:1,C0004:0", as an object.
create or replace macro object_of_groups(value) as case
    when regexp_full_match(value ->> '$', '(?:[\w-]+:[01],?)+')
        then ('{"' || replace(replace(rtrim(value ->> '$', ','), ',', '","'), ':', '":"') || '"}')::json
end;

-- A plain yes or no in place of an object: `"consent": false`, `"consent": "denied"`.
create or replace macro plain_answer_of(value) as
case when json_type(value) in ('BOOLEAN', 'VARCHAR', 'UBIGINT') then is_consent_given(value ->> '$') end;

-- Purposes together with a plain answer that was given beside them or alone. A plain answer is about advertising: a no
-- always counts, a yes only where the purposes do not deny it.
create or replace macro with_plain_answer(purposes, answer) as case answer
    when false then json_merge_patch(coalesce(purposes, '{}'), '{"advertising":false}')
    when true then json_merge_patch('{"advertising":true}', coalesce(purposes, '{}'))
    else purposes
end;

-- The purposes of a consent object, flattened: they are its own keys, or below one of them, such as Segment's
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
                    nonempty_object_of(json_extract(consent, '/' || name)),
                    object_of_groups(json_extract(consent, '/' || name))
                )
            ),
            lambda below: below is not null
        )[1],
        '{}'
    )
), plain_answer_of(json_extract(consent, '/consent')));

-- The object with an underscore before each key; folded_name() ignores it, so that the meaning stays the same.
create or replace macro with_underscores(object) as (
    '{' || array_to_string(
        list_transform(
            json_keys(object),
            lambda name: to_json('_' || name)::varchar || ':'
            || json_extract(object, '/' || replace(replace(name, '~', '~0'), '/', '~1'))::varchar
        ),
        ','
    ) || '}'
)::json;

-- The purposes of one consent object, or of two merged. A purpose of both is kept twice, so that the stricter answer
-- counts.
create or replace macro purposes_of_all(consents) as list_transform(
    [list_transform(consents, lambda consent: purposes_of(consent))],
    lambda purposes: case len(purposes)
        when 2 then json_merge_patch(purposes[1], with_underscores(purposes[2]))
        else purposes[1]
    end
)[1];

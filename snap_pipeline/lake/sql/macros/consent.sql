-- What a consent object says of advertising. Which names mean it stands in the seed consent_purposes.csv, here as
-- the variable `consent_purposes`, a map from folded name to meaning.

create or replace macro is_consent_given(answer) as case
    when lower(answer) in ('true', 'granted', 'grant', 'yes', 'y', '1', 'allow', 'allowed', 'accepted', 'opt_in')
        then true
    when lower(answer) in ('false', 'denied', 'deny', 'no', 'n', '0', 'reject', 'rejected', 'opt_out') then false
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

-- The purposes of a consent object side by side: they stand at its top, or below a key of it, such as Segment's
-- categoryPreferences.
create or replace macro purposes_of(consent) as json_merge_patch(
    consent,
    coalesce(
        list_filter(
            list_transform(
                ['categoryPreferences', 'consent', 'purposes', 'preferences', 'choice'],
                lambda name: json_extract(consent, '/' || name)
            ),
            lambda below: json_type(below) = 'OBJECT'
        )[1],
        '{}'
    )
);

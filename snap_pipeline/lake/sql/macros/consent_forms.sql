-- Consent in the forms of sites and consent tools: objects, lists and texts become answers {purpose, answer, list}.
-- Needs names.sql.

-- A yes or no among folded words.
create or replace macro is_folded_consent_given(answer) as map_extract_value(
    map {
        'true': true, 'granted': true, 'grant': true, 'yes': true, 'y': true, '1': true, 'on': true,
        'allow': true, 'allowed': true, 'accept': true, 'accepted': true, 'optin': true, 'optedin': true,
        'agree': true, 'agreed': true, 'consented': true, 'enabled': true, 'given': true, 'approved': true,
        'false': false, 'denied': false, 'deny': false, 'no': false, 'n': false, '0': false, 'off': false,
        'disallow': false, 'disallowed': false, 'reject': false, 'rejected': false, 'decline': false,
        'declined': false, 'refused': false, 'refuse': false, 'revoked': false, 'revoke': false,
        'withdrawn': false, 'withdraw': false, 'optout': false, 'optedout': false, 'disagree': false,
        'disagreed': false, 'disabled': false, 'blocked': false, 'notgranted': false, 'notgiven': false,
        'notconsented': false, 'notallowed': false, 'objected': false,
        'acceptall': true, 'acceptedall': true, 'allowall': true, 'grantall': true, 'agreeall': true,
        'rejectall': false, 'rejectedall': false, 'denyall': false, 'deniedall': false, 'declineall': false,
        'refuseall': false, 'disallowall': false
    },
    answer
);

-- A yes or no in any spelling: "opt-out", "Opted Out" and "optout" are one word.
create or replace macro is_consent_given(answer) as is_folded_consent_given(
    lower(regexp_replace(answer, '[^A-Za-z0-9]+', '', 'g'))
);

-- The text of consent with names and words folded, as JSON: without case, spaces, hyphens and underscores. Folding the
-- whole text is one search; folding each name would be one for each. A minus before a number becomes a digit, since
-- without it -1 would be a yes.
create or replace macro folded_consent(consent) as try_cast(
    folded_name(replace(replace(replace(consent, ':-', ':9'), '%3A', ':'), '%2C', ',')) as json
);

-- The object or list in a value, which may be written as JSON text.
create or replace macro unwrapped_json(value) as case
    when starts_with(value::varchar, '"{') or starts_with(value::varchar, '"[') or starts_with(value::varchar, '"\"')
        then coalesce(try_cast(value ->> '$' as json), value)
    else value
end;

-- The values below each value, which is replaced by them if it is an object or a list. An object in a list goes by what
-- it calls itself: [{"purpose": "marketing", "granted": false}].
create or replace macro opened(found) as flatten(
    list_transform(
        found,
        lambda each: case json_type(each.value)
            when 'OBJECT'
                then list_transform(
                    list_zip(json_keys(each.value), json_extract(each.value, '$.*')),
                    lambda pair: {
                        'path': each.path || '/' || each.name,
                        'name': pair[1],
                        'value': unwrapped_json(pair[2]),
                        'is_item': false
                    }
                )
            when 'ARRAY'
                then case
                    when json_array_length(each.value) = 0
                        then [{ 'path': each.path, 'name': each.name, 'value': each.value, 'is_item': true }]
                    else list_transform(
                        try_cast(each.value as json[]),
                        lambda item: {
                            'path': each.path,
                            'name': coalesce(
                                json_extract_string(item, '/purpose'),
                                json_extract_string(item, '/purposeid'),
                                json_extract_string(item, '/category'),
                                json_extract_string(item, '/name'),
                                json_extract_string(item, '/key'),
                                json_extract_string(item, '/id'),
                                each.name
                            ),
                            'value': unwrapped_json(item),
                            'is_item': json_type(item) != 'OBJECT'
                        }
                    )
                end
            else [each]
        end
    )
);

-- The plain values in a list of consents, each with its name and the names above it.
create or replace macro consent_values(consents) as -- noqa: PRS
opened(opened(opened(opened(opened(
    list_transform( -- noqa: LT01
        try_cast(consents as json[]), -- noqa: PRS
        lambda each, place: {
            'path': place || '/', 'name': '', 'value': unwrapped_json(each), 'is_item': false
        }
    )
)))));

-- Words in the name of a list of refused purposes, and of one of allowed purposes.
create or replace macro is_list_of_denied(name) as
contains(name, 'denied') or contains(name, 'disabled') or contains(name, 'disallowed') or contains(name, 'rejected')
or contains(name, 'refused') or contains(name, 'declined') or contains(name, 'revoked') or contains(name, 'withdrawn')
or contains(name, 'blocked') or contains(name, 'optedout') or contains(name, 'optout') or contains(name, 'inactive')
or contains(name, 'notallowed') or contains(name, 'notgranted') or contains(name, 'objected');

create or replace macro is_list_of_granted(name) as
contains(name, 'allowed') or contains(name, 'enabled') or contains(name, 'accepted') or contains(name, 'granted')
or contains(name, 'active') or contains(name, 'approved') or contains(name, 'consented') or contains(name, 'optedin')
or name in (
    '', 'consent', 'consents', 'purposes', 'categories', 'groups', 'preferences', 'consentcategories',
    'didomipurposesconsent'
);

-- A purpose in a list. Numbers mean what the consent tool numbers: OneTrust its groups, others purposes.
create or replace macro listed_purpose(list_name, purpose) as case
    when try_cast(purpose as utinyint) is null then purpose
    when contains(list_name, 'activegroups') then 'c000' || purpose
    else 'purpose' || purpose
end;

-- The list that an answer is of: a sign for granted or denied, and its place, so that the two of one place are known.
create or replace macro list_in_place(path, answer) as
case when not contains(path, 'vendor') then if(answer, '+', '-') || path end;

-- The purposes of a list, whose items are one text each or all in one.
create or replace macro listed_answers(value, text, answer) as list_transform(
    list_filter(string_split(text, ','), lambda purpose: purpose not in ('', '[]')),
    lambda purpose: {
        'purpose': listed_purpose(value.name, purpose),
        'answer': answer,
        'list': list_in_place(value.path, answer)
    }
) || case
    when text = '[]' then [{ 'purpose': null::varchar, 'answer': answer, 'list': list_in_place(value.path, answer) }]
    else []
end;

-- The name above a value, or that of the whole consent if it is only a place.
create or replace macro purpose_above(path) as case
    when
        split_part(path, '/', -1) in (
            '', 'consent', 'consents', 'gdpr', 'consentstate', 'consentmanagement', 'userstatus', 'didomi', 'cookie',
            'usercentrics', 'onetrust', 'cookiebot', 'state', 'status', 'choice', 'decision'
        )
        then 'advertising'
    else split_part(path, '/', -1)
end;

-- The answers of one plain value: [{purpose, answer, list}]. `list` is null unless the value is of a list.
create or replace macro answers_of_value(value, text, answer) as case
    when text is null or text = '{}' then []
    when
        answer is null
        and (value.is_item or contains(text, ',') or getvariable('consent_purposes')[text] is not null)
        and is_list_of_denied(value.name)
        then listed_answers(value, text, false)
    when
        answer is null
        and (
            (value.is_item and (is_list_of_granted(value.name) and (text != '[]' or value.name not in ('', 'consent'))))
            or (contains(text, ',') and is_list_of_granted(value.name) and not contains(text, ':'))
            -- A list of one, as text: "consent": "necessary".
            or (getvariable('consent_purposes')[text] is not null and is_list_of_granted(value.name))
            -- OneTrust's list of active groups, wherever it is: ",C0001,C0004,"
            or ((starts_with(text, 'c000') or contains(text, ',c000')) and not contains(text, ':'))
        )
        then listed_answers(value, text, true)
    when
        value.name in (
            '', 'consent', 'consents', 'consentstate', 'consentstatus', 'consentmode', 'consentmanagement', 'gdpr',
            'gdprconsent', 'consentpreferences', 'advertisingconsent', 'adconsent', 'adsconsent'
        )
        then [{ 'purpose': purpose_above(value.path), 'answer': answer, 'list': null::varchar }]
    -- The answer is below the name of the purpose: {"marketing": {"consented": false}}
    when
        value.name in (
            'consented', 'consentgiven', 'enabled', 'granted', 'given', 'allowed', 'accepted', 'optedin', 'optin',
            'agreed', 'status', 'choice', 'answer', 'decision'
        )
        or (value.name in ('value', 'state') and purpose_above(value.path) != 'advertising')
        then [{ 'purpose': purpose_above(value.path), 'answer': answer, 'list': null::varchar }]
    when value.name in ('denied', 'rejected', 'refused', 'declined', 'revoked', 'withdrawn', 'optedout', 'optout')
        then [{
            'purpose': purpose_above(value.path), 'answer': case when answer then false end, 'list': null::varchar
        }]
    -- TC data as JSON: {"purpose": {"consents": {"1": true}}}; others number purposes by the same or their own list.
    when
        try_cast(value.name as utinyint) is not null
        and contains(value.path, 'purpose')
        and not contains(value.path, 'legitimate')
        and not contains(value.path, 'publisher')
        then [{
            'purpose': if(ends_with(value.path, '/purpose/consents'), 'tcfpurpose', 'purpose') || value.name,
            'answer': answer,
            'list': null::varchar
        }]
    else [{ 'purpose': value.name, 'answer': answer, 'list': null::varchar }]
end;

-- The answers of all plain values.
create or replace macro answers_of_values(found) as flatten(
    list_transform(
        list_transform(
            list_transform(found, lambda value: { 'value': value, 'text': value.value ->> '$' }),
            lambda each: {
                'value': each.value, 'text': each.text, 'answer': is_folded_consent_given(each.text)
            }
        ),
        lambda each: answers_of_value(each.value, each.text, each.answer)
    )
);

-- The answers of OneTrust's groups in a text: "C0001:1,C0004:0", alone or in its cookie.
create or replace macro answers_of_groups(folded) as list_transform(
    list_zip(
        regexp_extract_all(folded::varchar, '[",=]([a-z0-9]+):[01]', 1),
        regexp_extract_all(folded::varchar, '[",=][a-z0-9]+:([01])', 1)
    ),
    lambda pair: { 'purpose': pair[1], 'answer': pair[2] = '1', 'list': null::varchar }
);

-- What an event says about consent, in one canonical form: {"granted": […], "denied": […], "unread": […], "complete": […]},
-- lists of purposes by folded name; `unread` has those whose answer is neither yes nor no. Needs names.sql and
-- consent_strings.sql.

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
        'notconsented': false, 'notallowed': false, 'objected': false
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
create or replace macro opened(values) as flatten(
    list_transform(
        values,
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
create or replace macro consent_values(consents) as opened(opened(opened(opened(opened(
    list_transform(
        try_cast(consents as json[]),
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
    when answer is null and (value.is_item or contains(text, ',')) and is_list_of_denied(value.name)
        then listed_answers(value, text, false)
    when
        answer is null
        and (
            (value.is_item and (is_list_of_granted(value.name) and (text != '[]' or value.name not in ('', 'consent'))))
            or (contains(text, ',') and is_list_of_granted(value.name) and not contains(text, ':'))
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
create or replace macro answers_of_values(values) as flatten(
    list_transform(
        list_transform(
            list_transform(values, lambda value: { 'value': value, 'text': value.value ->> '$' }),
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

-- The canonical form of answers, or null if there is none. A list of granted purposes that has none of denied ones at
-- its side denies what it leaves out: `complete` has those lists.
create or replace macro consent_of_answers(answers) as list_transform(
    [{
        'answers': list_filter(answers, lambda each: each.purpose is not null),
        'lists': list_filter(list_transform(answers, lambda each: each.list), lambda list: list is not null)
    }],
    lambda given: case
        when len(given.answers) > 0 or len(list_filter(given.lists, lambda list: list[1] = '+')) > 0
            then to_json({
                'granted': list_sort(list_distinct(
                    list_transform(list_filter(given.answers, lambda each: each.answer), lambda each: each.purpose)
                )),
                'denied': list_sort(list_distinct(
                    list_transform(list_filter(given.answers, lambda each: not each.answer), lambda each: each.purpose)
                )),
                'unread': list_sort(list_distinct(list_transform(
                    list_filter(given.answers, lambda each: each.answer is null), lambda each: each.purpose
                ))),
                'complete': case when len(given.lists) > 0 then list_transform(
                    list_sort(list_distinct(list_filter(
                        given.lists,
                        lambda list: list[1] = '+' and not list_contains(given.lists, '-' || list[2:])
                    ))),
                    lambda list: list_transform(
                        list_filter(given.answers, lambda each: each.list = list), lambda each: each.purpose
                    )
                ) else [] end
            })
    end
)[1];

-- The canonical form of consents, given as the text of a JSON list. Strings are read before the text is folded, and
-- taken out of it.
create or replace macro canonical_consent(consents) as list_transform(
    list_transform(
        [{
            'folded': coalesce(
                folded_consent(regexp_replace(consents, '\\?' || consent_string_pattern(), 'null', 'g')),
                folded_consent(consents)
            ),
            'strings': regexp_extract_all(replace(consents, '\"', '"'), consent_string_pattern(), 1)
        }],
        lambda given: answers_of_values(consent_values(given.folded))
        || case
            when contains(given.folded, 'groups') or contains(given.folded, 'c000') then answers_of_groups(given.folded)
            else []
        end
        || case
            when len(given.strings) > 0
                then list_transform(
                    flatten(list_transform(given.strings, lambda text: consent_string_answers(text))),
                    lambda each: { 'purpose': each.purpose, 'answer': each.answer, 'list': null::varchar }
                )
            else []
        end
    ),
    lambda answers: consent_of_answers(answers)
)[1];

-- The canonical form of a consent that an earlier version read: it kept the purposes and answers of an object.
create or replace macro consent_of_any_version(consent) as case
    when consent is null or starts_with(consent::varchar, '{"granted":[') then consent
    else canonical_consent('[' || consent::varchar || ']')
end;

-- Keys that are about consent wherever they are, by folded name.
create or replace macro consent_keys() as [
    'tcstring', 'tcfstring', 'tcfconsent', 'iabtcftcstring', 'euconsent', 'euconsentv2', 'gdprconsent',
    'gdprconsentstring', 'consentstring', 'iabconsentstring', 'gcs', 'gcd', 'xgagcs', 'xgagcd', 'gpp', 'gppstring',
    'gppconsent', 'iabgpphdrgppstring', 'usprivacy', 'usprivacystring', 'usp', 'uspstring', 'uspconsent',
    'iabusprivacystring', 'gpc', 'globalprivacycontrol', 'secgpc', 'donotsell', 'donotsellorshare', 'optoutofsale',
    'saleoptout', 'ccpaoptout', 'adstorage', 'aduserdata', 'adpersonalization', 'adpersonalisation', 'consent',
    'consents', 'consentstate', 'consentmode', 'googleconsentmode', 'consentmanagement', 'consentcategories',
    'consentpreferences', 'consentpurposes', 'consentgiven', 'allowedconsentids', 'deniedconsentids', 'advertisingconsent',
    'adconsent', 'adsconsent', 'onetrustactivegroups', 'optanonactivegroups', 'optanonconsent', 'onetrustgroups',
    'didomipurposesconsent', 'didomipurposesconsentdenied', 'didomipurposesconsentunknown'
];

-- The keys of an object that are about consent, as the text of an object.
create or replace macro flat_consent(object) as '{' || array_to_string(
    list_transform(
        list_filter(
            list_zip(json_keys(object), json_extract(object, '$.*')),
            lambda pair: list_contains(consent_keys(), lower(translate(pair[1], '_- ', '')))
        ),
        lambda pair: to_json(pair[1])::varchar || ':' || pair[2]::varchar
    ),
    ','
) || '}';

-- The meanings of purposes, by the seed: the variable `consent_purposes` is a map from folded name to meaning.
create or replace macro meanings_of(purposes) as
list_transform(purposes, lambda purpose: getvariable('consent_purposes')[purpose]);

-- What a canonical consent says about advertising, the strictest first: denied, limited, granted, or null.
create or replace macro consent_state(consent) as list_transform(
    list_transform(
        [from_json(consent, '{"granted":["VARCHAR"],"denied":["VARCHAR"],"complete":[["VARCHAR"]]}')],
        lambda given: {
            'granted': meanings_of(given.granted),
            'denied': meanings_of(given.denied),
            'complete': list_transform(given.complete, lambda purposes: meanings_of(purposes))
        }
    ),
    lambda given: case
        when list_contains(given.denied, 'advertising') then 'denied'
        when
            len(list_filter(
                given.complete,
                lambda meanings: not list_contains(meanings, 'advertising')
                and (len(meanings) = 0 or list_contains(meanings, 'other'))
            )) > 0
            then 'denied'
        when list_contains(given.denied, 'limited') or list_contains(given.granted, 'opt_out_of_sale') then 'limited'
        when list_contains(given.granted, 'advertising') then 'granted'
    end
)[1];

-- Tells whether something in a canonical consent cannot be read: a string, the answer to a purpose of the seed that
-- decides, or every word.
create or replace macro has_unread_consent(consent) as list_transform(
    [from_json(consent, '{"granted":["VARCHAR"],"denied":["VARCHAR"],"unread":["VARCHAR"]}')],
    lambda given: len(list_filter(
        given.unread,
        lambda purpose: list_contains(consent_keys(), purpose)
        or getvariable('consent_purposes')[purpose] in ('advertising', 'limited', 'opt_out_of_sale')
    )) > 0
    or len(list_filter(meanings_of(given.granted || given.denied), lambda meaning: meaning is not null)) = 0
)[1];

-- What an event says about consent, in one canonical form: {"granted": […], "denied": […], "unread": […],
-- "complete": […]}, lists of purposes by folded name. `unread` has those whose answer is neither yes nor no. Needs
-- consent_strings.sql and consent_forms.sql.

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
    'consentpreferences', 'consentpurposes', 'consentgiven', 'allowedconsentids', 'deniedconsentids',
    'advertisingconsent', 'adconsent', 'adsconsent', 'onetrustactivegroups', 'optanonactivegroups', 'optanonconsent',
    'onetrustgroups', 'didomipurposesconsent', 'didomipurposesconsentdenied', 'didomipurposesconsentunknown'
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

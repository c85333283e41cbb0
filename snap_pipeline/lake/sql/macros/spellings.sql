-- Match fields under any of their names, wherever a client put them. Needs blanks.sql, urls.sql, json.sql,
-- products.sql, devices.sql and travel.sql. The lists come from match_fields.py (`make fields`).

-- The field that a name stands for, and its rank among the field's names: match_field_names.sql, here as a variable.
-- Names are compared without case and separators.
create or replace macro match_field_of(name) as
map_extract_value(getvariable('match_field_names'), lower(translate(name, '_- ', '')));

-- Pattern of a name that raw_events.sql does not read from every line, of a list, an object or the mark of a template
-- where it reads a plain value, and of an address as JSON text.
create or replace macro other_name_pattern() as (
    '"(?:(?:[sS][cC][cClL][iI][dD]|user_data'
    -- consent strings in columns of their own (`flat_consent` in consent.sql)
    || '|tc_string|tcString|gdpr_consent|consent_string|euconsent[-_]v2|(?:x-ga-)?gc[sd]|gpp|gpp_string|gppString'
    || '|us_privacy|usPrivacy|usp|usp_string|OnetrustActiveGroups|OptanonActiveGroups|OptanonConsent'
    || '|consent_given|consentGiven|consentState|ads?_consent|ads?Consent|advertising_consent|advertisingConsent'
    -- [[[cog cog.outl(blocks.other_names()) ]]]
    || '|AAID|ADVERTISING_ID|ANON_ID|Aaid|AdvertisingId|AnonId|CITY'
    || '|CLICK_ID|CLIENT_DEDUP_ID|CLIENT_IP_ADDRESS|CLIENT_USER_AGENT'
    || '|COUNTRY|COUNTRY_CODE|CT|CUSTOMER_EMAIL|CUSTOMER_FIRST_NAME'
    || '|CUSTOMER_LAST_NAME|CUSTOMER_PHONE|City|ClickId|ClientDedupId'
    || '|ClientIpAddress|ClientUserAgent|Country|CountryCode|Ct'
    || '|CustomerEmail|CustomerFirstName|CustomerLastName|CustomerPhone|EM'
    || '|EMAIL|EMAIL_ADDRESS|EMail|EVENT_SOURCE_URL|EXTERNAL_ID|E_MAIL'
    || '|Em|Email|EmailAddress|EventSourceUrl|ExternalId|FAMILY_NAME'
    || '|FIRST_NAME|FN|FamilyName|FirstName|Fn|GAID|GE|GENDER'
    || '|GIVEN_NAME|Gaid|Ge|Gender|GivenName|HASHED_CITY|HASHED_CITY_SHA'
    || '|HASHED_COUNTRY|HASHED_EMAIL|HASHED_EXTERNAL_ID|HASHED_FIRST_NAME'
    || '|HASHED_FIRST_NAME_SHA|HASHED_GENDER|HASHED_IDFV|HASHED_IP_ADDRESS'
    || '|HASHED_LAST_NAME|HASHED_LAST_NAME_SHA|HASHED_MOBILE_AD_ID'
    || '|HASHED_PHONE|HASHED_PHONE_NUMBER|HASHED_STATE|HASHED_STATE_SHA'
    || '|HASHED_ZIP|HashedCity|HashedCitySha|HashedCountry|HashedEmail'
    || '|HashedExternalId|HashedFirstName|HashedFirstNameSha|HashedGender'
    || '|HashedIdfv|HashedIpAddress|HashedLastName|HashedLastNameSha'
    || '|HashedMobileAdId|HashedPhone|HashedPhoneNumber|HashedState'
    || '|HashedStateSha|HashedZip|IDFA|IDFV|IP_ADDRESS|Idfa|Idfv'
    || '|IpAddress|LAST_NAME|LEAD_ID|LN|LastName|LeadId|Ln|MADID'
    || '|MOBILE_AD_ID|MOBILE_NUMBER|MOBILE_PHONE|Madid|MobileAdId'
    || '|MobileNumber|MobilePhone|PAGE_LOCATION|PAGE_URL|PH|PHONE'
    || '|PHONE_NUMBER|POSTAL_CODE|POSTCODE|POST_CODE|PROVINCE'
    || '|PROVINCE_CODE|PageLocation|PageUrl|Ph|Phone|PhoneNumber'
    || '|PostCode|PostalCode|Postcode|Province|ProvinceCode|REGION'
    || '|REGION_CODE|Region|RegionCode|SCCID|SCID|SCLID|SC_CLICK_ID'
    || '|SC_COOKIE1|SEX|SHA256_EMAIL|SHA256_EMAIL_ADDRESS'
    || '|SHA256_FIRST_NAME|SHA256_LAST_NAME|SHA256_PHONE_NUMBER'
    || '|SNAP_CLICK_ID|ST|STATE|STATE_CODE|SUBSCRIPTION_ID|SURNAME'
    || '|ScClickId|ScCookie1|Sccid|Scid|Sclid|Sex|Sha256Email'
    || '|Sha256EmailAddress|Sha256FirstName|Sha256LastName'
    || '|Sha256PhoneNumber|SnapClickId|St|State|StateCode|SubscriptionId'
    || '|Surname|TELEPHONE|TELEPHONE_NUMBER|TOWN|Telephone'
    || '|TelephoneNumber|Town|USER_AGENT|USER_EMAIL|USER_HASHED_EMAIL'
    || '|USER_HASHED_PHONE_NUMBER|USER_MOBILE_AD_ID|USER_PHONE'
    || '|USER_PHONE_NUMBER|UUID_C1|UserAgent|UserEmail|UserHashedEmail'
    || '|UserHashedPhoneNumber|UserMobileAdId|UserPhone|UserPhoneNumber'
    || '|UuidC1|ZIP|ZIPCODE|ZIP_CODE|ZP|Zip|ZipCode|Zipcode|Zp|_SCID'
    || '|_scid|aaid|advertisingid|anonId|anon_id|anonid|clickId'
    || '|click_id|clickid|clientDedupId|clientIpAddress|clientUserAgent'
    || '|client_dedup_id|client_ip_address|client_user_agent|clientdedupid'
    || '|clientipaddress|clientuseragent|countryCode|country_code'
    || '|countrycode|ct|customerEmail|customerFirstName|customerLastName'
    || '|customerPhone|customer_email|customer_first_name'
    || '|customer_last_name|customer_phone|customeremail|customerfirstname'
    || '|customerlastname|customerphone|eMail|e_mail|em|emailAddress'
    || '|email_address|emailaddress|eventSourceUrl|event_source_url'
    || '|eventsourceurl|externalId|externalid|familyName|family_name'
    || '|familyname|firstname|fn|gaid|ge|givenName|given_name|givenname'
    || '|hashedCity|hashedCitySha|hashedCountry|hashedEmail'
    || '|hashedExternalId|hashedFirstName|hashedFirstNameSha|hashedGender'
    || '|hashedIdfv|hashedIpAddress|hashedLastName|hashedLastNameSha'
    || '|hashedMobileAdId|hashedPhone|hashedPhoneNumber|hashedState'
    || '|hashedStateSha|hashedZip|hashed_city|hashed_city_sha'
    || '|hashed_country|hashed_email|hashed_external_id|hashed_first_name'
    || '|hashed_first_name_sha|hashed_gender|hashed_idfv|hashed_ip_address'
    || '|hashed_last_name|hashed_last_name_sha|hashed_mobile_ad_id'
    || '|hashed_phone|hashed_phone_number|hashed_state|hashed_state_sha'
    || '|hashed_zip|hashedcity|hashedcitysha|hashedcountry|hashedemail'
    || '|hashedexternalid|hashedfirstname|hashedfirstnamesha|hashedgender'
    || '|hashedidfv|hashedipaddress|hashedlastname|hashedlastnamesha'
    || '|hashedmobileadid|hashedphone|hashedphonenumber|hashedstate'
    || '|hashedstatesha|hashedzip|idfa|ipAddress|ipaddress|lastname'
    || '|leadId|lead_id|leadid|ln|madid|mobileAdId|mobileNumber'
    || '|mobilePhone|mobile_ad_id|mobile_number|mobile_phone|mobileadid'
    || '|mobilenumber|mobilephone|pageLocation|pageUrl|page_location'
    || '|page_url|pagelocation|pageurl|ph|phoneNumber|phone_number'
    || '|phonenumber|postCode|post_code|postal_code|postalcode|postcode'
    || '|province|provinceCode|province_code|provincecode|region'
    || '|regionCode|region_code|regioncode|scClickId|scCookie1'
    || '|sc_click_id|sccid|scclickid|sccookie1|scid|sclid|sex'
    || '|sha256Email|sha256EmailAddress|sha256FirstName|sha256LastName'
    || '|sha256PhoneNumber|sha256_email|sha256_email_address'
    || '|sha256_first_name|sha256_last_name|sha256_phone_number|sha256email'
    || '|sha256emailaddress|sha256firstname|sha256lastname'
    || '|sha256phonenumber|snapClickId|snap_click_id|snapclickid|st'
    || '|stateCode|state_code|statecode|subscriptionId|subscription_id'
    || '|subscriptionid|surname|telephone|telephoneNumber|telephone_number'
    || '|telephonenumber|town|userEmail|userHashedEmail'
    || '|userHashedPhoneNumber|userMobileAdId|userPhone|userPhoneNumber'
    || '|user_email|user_hashed_email|user_hashed_phone_number'
    || '|user_mobile_ad_id|user_phone|user_phone_number|useragent'
    || '|useremail|userhashedemail|userhashedphonenumber|usermobileadid'
    || '|userphone|userphonenumber|uuidC1|uuid_c1|uuidc1|zipCode'
    || '|zip_code|zipcode|zp'
    -- [[[end]]]
    || ')\\?"|address\\?"\s*:\s*(?:\\?"\{|(?:\\?")?\[)|(?:'
    -- [[[cog cog.outl(blocks.usual_names()) ]]]
    || '|advertising_id|city|country|email|external_id|firstName'
    || '|first_name|gender|idfv|ip_address|lastName|last_name|phone'
    || '|postalCode|sc_cookie1|state|user_agent|zip'
    -- [[[end]]]
    || ')\\?"\s*:\s*(?:\\?")?[\[{%<#$@*])'
);

create or replace macro has_other_name(line) as regexp_matches(line::varchar, other_name_pattern());

-- Tells whether raw_events.sql has to read a line with more care than most: for either reason, in one look.
create or replace macro is_unusual(line) as
regexp_matches(line::varchar, other_name_pattern() || '|' || blank_text_pattern());

-- Tells whether properties have a name that raw_events.sql reads from every line, but not from properties.
create or replace macro has_match_field(properties) as regexp_matches(
    properties::varchar,
    '"(?:address'
    -- [[[cog cog.outl(blocks.common_names()) ]]]
    || '|advertising_id|city|country|email|external_id|firstName'
    || '|first_name|gender|idfv|ip_address|lastName|last_name|page_url'
    || '|phone|postalCode|sc_cookie1|state|user_agent|zip'
    -- [[[end]]]
    || ')\\?"'
);

-- The first plain value of a list that is filled.
create or replace macro first_filled(value) as list_filter(
    json_extract(list_of(value), '$[*]'),
    lambda item: json_type(item) not in ('ARRAY', 'OBJECT') and null_if_blank_short(item ->> '$') is not null
)[1];

-- An address of an object, or the first of several, as GA4 sends them.
create or replace macro address_in(object) as
coalesce(json_extract(object, '$.address[0]'), object_of(json_extract(object, '$.address')));

-- The filled match fields among an object's keys, the preferred name of each first. Of a list of values, a field that
-- takes one keeps the first.
create or replace macro match_words(object) as list_sort(
    list_filter(
        list_transform(
            list_transform(
                json_keys(object),
                lambda name: {
                    'match': match_field_of(name),
                    'value': json_extract(object, '/' || replace(replace(name, '~', '~0'), '/', '~1'))
                }
            ),
            lambda word: {
                'match': word.match,
                'value': case
                    when
                        word.match.field not in (
                            -- [[[cog cog.outl(blocks.list_fields()) ]]]
                            'emails', 'phones', 'external_ids'
                            -- [[[end]]]
                        )
                        then to_json(single_text(coalesce(first_filled(word.value), word.value) ->> '$'))
                    when json_type(word.value) != 'ARRAY' and not starts_with(word.value::varchar, '"[')
                        then word.value
                    when first_filled(word.value) is not null or list_of(word.value) is null
                        then coalesce(list_of(word.value), word.value)
                end
            }
        ),
        lambda word: word.match is not null and json_type(word.value) != 'OBJECT'
        and null_if_blank_short(word.value ->> '$') is not null
    )
);

-- The match fields of each of some objects: of itself, of the `user_data` in it, and of the address in either.
create or replace macro match_words_in(objects) as list_transform(
    objects,
    lambda object: flatten(
        list_transform(
            flatten(
                list_transform(
                    [object, json_extract(object, '$.user_data')], lambda part: [part, address_in(part)]
                )
            ),
            lambda part: match_words(part)
        )
    )
);

-- The match fields of properties that are a person's. A `gender` or a `state` alone is a product's or an order's, and
-- the places of a trip are no address.
create or replace macro personal_words(words, is_trip) as list_filter(
    words,
    lambda word: case
        when word.match.field in ('gender', 'state')
            then list_has_any(
                list_transform(words, lambda each: each.match.field),
                case
                    when word.match.field = 'state' then ['city', 'zip']
                    else ['emails', 'phones', 'first_name', 'last_name', 'city', 'zip']
                end
            )
        else true
    end
    and not (is_trip and word.match.field in ('city', 'state', 'zip', 'country'))
);

-- The first e-mail address among words, to be compared.
create or replace macro first_email_of(words) as lower(
    list_filter(words, lambda word: word.match.field = 'emails')[1].value::varchar
);

-- The match fields of a line under any name, in order of preference: the event's own words before its context. Traits
-- of the context with another e-mail address are another person's.
create or replace macro match_words_of_line(line, properties, click_ids) as list_transform(
    list_transform(
        [{
            'places': match_words_in([
                click_ids,
                line,
                properties,
                object_of(json_extract(line, '$.traits')),
                snap_integration(json_extract(line, '$.integrations')),
                object_of(json_extract(line, '$.context.traits'))
            ]),
            'is_trip': is_trip(properties)
        }],
        lambda found: {
            'own': flatten([
                list_filter(found.places[1], lambda word: word.match.field = 'sc_click_id'),
                found.places[2],
                personal_words(found.places[3], found.is_trip),
                found.places[4],
                found.places[5]
            ]),
            'context': found.places[6]
        }
    ),
    lambda words: case
        when first_email_of(words.own) != first_email_of(words.context) then words.own
        else list_concat(words.own, words.context)
    end
)[1];

-- These as one row, each field's first; null without any.
create or replace macro match_fields_of(words) as from_json(
    '{' || array_to_string(
        list_transform(words, lambda word: '"' || word.match.field || '":' || word.value::varchar), ','
    ) || '}',
    to_json({
        -- [[[cog cog.outl(blocks.spelled_fields()) ]]]
        'emails': 'JSON',
        'phones': 'JSON',
        'first_name': 'VARCHAR',
        'last_name': 'VARCHAR',
        'gender': 'VARCHAR',
        'city': 'VARCHAR',
        'state': 'VARCHAR',
        'zip': 'VARCHAR',
        'country': 'VARCHAR',
        'external_ids': 'JSON',
        'sc_cookie1': 'VARCHAR',
        'sc_click_id': 'VARCHAR',
        'ip_address': 'VARCHAR',
        'user_agent': 'VARCHAR',
        'advertising_id': 'VARCHAR',
        'idfv': 'VARCHAR',
        'subscription_id': 'VARCHAR',
        'lead_id': 'VARCHAR',
        'anon_id': 'VARCHAR',
        'page_url': 'VARCHAR',
        'client_dedup_id': 'VARCHAR'
        -- [[[end]]]
    })::varchar
);

-- The first click id among them that may be one of Snap's.
create or replace macro click_id_among(words) as list_filter(
    list_transform(
        list_filter(words, lambda word: word.match.field = 'sc_click_id'),
        lambda word: snap_click_id(word.value ->> '$')
    ),
    lambda click_id: click_id is not null
)[1];

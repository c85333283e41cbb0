-- Match fields under any of their names, wherever a client put them. Needs json.sql and products.sql. The lists come from
-- match_fields.py (`make fields`).

-- The field that a name stands for, and its rank among the field's names. Names are compared without case and
-- separators.
create or replace macro match_field_of(name) as map_extract_value(
    map {
        -- [[[cog cog.outl(blocks.spellings()) ]]]
        'email': { 'rank': 0, 'field': 'emails', 'is_list': true },
        'emailaddress': { 'rank': 1, 'field': 'emails', 'is_list': true },
        'useremail': { 'rank': 2, 'field': 'emails', 'is_list': true },
        'customeremail': { 'rank': 3, 'field': 'emails', 'is_list': true },
        'hashedemail': { 'rank': 4, 'field': 'emails', 'is_list': true },
        'sha256email': { 'rank': 5, 'field': 'emails', 'is_list': true },
        'sha256emailaddress': { 'rank': 6, 'field': 'emails', 'is_list': true },
        'userhashedemail': { 'rank': 7, 'field': 'emails', 'is_list': true },
        'em': { 'rank': 8, 'field': 'emails', 'is_list': true },
        'phone': { 'rank': 0, 'field': 'phones', 'is_list': true },
        'phonenumber': { 'rank': 1, 'field': 'phones', 'is_list': true },
        'mobilenumber': { 'rank': 2, 'field': 'phones', 'is_list': true },
        'mobilephone': { 'rank': 3, 'field': 'phones', 'is_list': true },
        'telephone': { 'rank': 4, 'field': 'phones', 'is_list': true },
        'telephonenumber': { 'rank': 5, 'field': 'phones', 'is_list': true },
        'userphone': { 'rank': 6, 'field': 'phones', 'is_list': true },
        'userphonenumber': { 'rank': 7, 'field': 'phones', 'is_list': true },
        'customerphone': { 'rank': 8, 'field': 'phones', 'is_list': true },
        'hashedphonenumber': { 'rank': 9, 'field': 'phones', 'is_list': true },
        'hashedphone': { 'rank': 10, 'field': 'phones', 'is_list': true },
        'sha256phonenumber': { 'rank': 11, 'field': 'phones', 'is_list': true },
        'userhashedphonenumber': { 'rank': 12, 'field': 'phones', 'is_list': true },
        'ph': { 'rank': 13, 'field': 'phones', 'is_list': true },
        'firstname': { 'rank': 0, 'field': 'first_name', 'is_list': false },
        'givenname': { 'rank': 1, 'field': 'first_name', 'is_list': false },
        'customerfirstname': { 'rank': 2, 'field': 'first_name', 'is_list': false },
        'hashedfirstname': { 'rank': 3, 'field': 'first_name', 'is_list': false },
        'hashedfirstnamesha': { 'rank': 4, 'field': 'first_name', 'is_list': false },
        'sha256firstname': { 'rank': 5, 'field': 'first_name', 'is_list': false },
        'fn': { 'rank': 6, 'field': 'first_name', 'is_list': false },
        'lastname': { 'rank': 0, 'field': 'last_name', 'is_list': false },
        'familyname': { 'rank': 1, 'field': 'last_name', 'is_list': false },
        'surname': { 'rank': 2, 'field': 'last_name', 'is_list': false },
        'customerlastname': { 'rank': 3, 'field': 'last_name', 'is_list': false },
        'hashedlastname': { 'rank': 4, 'field': 'last_name', 'is_list': false },
        'hashedlastnamesha': { 'rank': 5, 'field': 'last_name', 'is_list': false },
        'sha256lastname': { 'rank': 6, 'field': 'last_name', 'is_list': false },
        'ln': { 'rank': 7, 'field': 'last_name', 'is_list': false },
        'gender': { 'rank': 0, 'field': 'gender', 'is_list': false },
        'sex': { 'rank': 1, 'field': 'gender', 'is_list': false },
        'hashedgender': { 'rank': 2, 'field': 'gender', 'is_list': false },
        'ge': { 'rank': 3, 'field': 'gender', 'is_list': false },
        'city': { 'rank': 0, 'field': 'city', 'is_list': false },
        'town': { 'rank': 1, 'field': 'city', 'is_list': false },
        'hashedcity': { 'rank': 2, 'field': 'city', 'is_list': false },
        'hashedcitysha': { 'rank': 3, 'field': 'city', 'is_list': false },
        'ct': { 'rank': 4, 'field': 'city', 'is_list': false },
        'state': { 'rank': 0, 'field': 'state', 'is_list': false },
        'statecode': { 'rank': 1, 'field': 'state', 'is_list': false },
        'province': { 'rank': 2, 'field': 'state', 'is_list': false },
        'provincecode': { 'rank': 3, 'field': 'state', 'is_list': false },
        'region': { 'rank': 4, 'field': 'state', 'is_list': false },
        'regioncode': { 'rank': 5, 'field': 'state', 'is_list': false },
        'hashedstate': { 'rank': 6, 'field': 'state', 'is_list': false },
        'hashedstatesha': { 'rank': 7, 'field': 'state', 'is_list': false },
        'st': { 'rank': 8, 'field': 'state', 'is_list': false },
        'zip': { 'rank': 0, 'field': 'zip', 'is_list': false },
        'postalcode': { 'rank': 1, 'field': 'zip', 'is_list': false },
        'zipcode': { 'rank': 2, 'field': 'zip', 'is_list': false },
        'postcode': { 'rank': 3, 'field': 'zip', 'is_list': false },
        'hashedzip': { 'rank': 4, 'field': 'zip', 'is_list': false },
        'zp': { 'rank': 5, 'field': 'zip', 'is_list': false },
        'country': { 'rank': 0, 'field': 'country', 'is_list': false },
        'countrycode': { 'rank': 1, 'field': 'country', 'is_list': false },
        'hashedcountry': { 'rank': 2, 'field': 'country', 'is_list': false },
        'externalid': { 'rank': 0, 'field': 'external_ids', 'is_list': true },
        'hashedexternalid': { 'rank': 1, 'field': 'external_ids', 'is_list': true },
        'sccookie1': { 'rank': 0, 'field': 'sc_cookie1', 'is_list': false },
        'uuidc1': { 'rank': 1, 'field': 'sc_cookie1', 'is_list': false },
        'scid': { 'rank': 2, 'field': 'sc_cookie1', 'is_list': false },
        'sccid': { 'rank': 0, 'field': 'sc_click_id', 'is_list': false },
        'sclid': { 'rank': 1, 'field': 'sc_click_id', 'is_list': false },
        'scclickid': { 'rank': 2, 'field': 'sc_click_id', 'is_list': false },
        'snapclickid': { 'rank': 3, 'field': 'sc_click_id', 'is_list': false },
        'clickid': { 'rank': 4, 'field': 'sc_click_id', 'is_list': false },
        'ipaddress': { 'rank': 0, 'field': 'ip_address', 'is_list': false },
        'clientipaddress': { 'rank': 1, 'field': 'ip_address', 'is_list': false },
        'hashedipaddress': { 'rank': 2, 'field': 'ip_address', 'is_list': false },
        'useragent': { 'rank': 0, 'field': 'user_agent', 'is_list': false },
        'clientuseragent': { 'rank': 1, 'field': 'user_agent', 'is_list': false },
        'advertisingid': { 'rank': 0, 'field': 'advertising_id', 'is_list': false },
        'madid': { 'rank': 1, 'field': 'advertising_id', 'is_list': false },
        'mobileadid': { 'rank': 2, 'field': 'advertising_id', 'is_list': false },
        'idfa': { 'rank': 3, 'field': 'advertising_id', 'is_list': false },
        'gaid': { 'rank': 4, 'field': 'advertising_id', 'is_list': false },
        'aaid': { 'rank': 5, 'field': 'advertising_id', 'is_list': false },
        'hashedmobileadid': { 'rank': 6, 'field': 'advertising_id', 'is_list': false },
        'usermobileadid': { 'rank': 7, 'field': 'advertising_id', 'is_list': false },
        'idfv': { 'rank': 0, 'field': 'idfv', 'is_list': false },
        'hashedidfv': { 'rank': 1, 'field': 'idfv', 'is_list': false },
        'subscriptionid': { 'rank': 0, 'field': 'subscription_id', 'is_list': false },
        'leadid': { 'rank': 0, 'field': 'lead_id', 'is_list': false },
        'anonid': { 'rank': 0, 'field': 'anon_id', 'is_list': false },
        'pageurl': { 'rank': 0, 'field': 'page_url', 'is_list': false },
        'pagelocation': { 'rank': 1, 'field': 'page_url', 'is_list': false },
        'eventsourceurl': { 'rank': 2, 'field': 'page_url', 'is_list': false },
        'clientdedupid': { 'rank': 0, 'field': 'client_dedup_id', 'is_list': false }
        -- [[[end]]]
    },
    lower(translate(name, '_- ', ''))
);

-- Tells whether a line has a name that raw_events.sql does not read from every line.
create or replace macro has_other_name(line) as regexp_matches(
    line::varchar,
    '"(?:[sS][cC][cClL][iI][dD]|user_data'
    -- [[[cog cog.outl(blocks.other_names()) ]]]
    || '|AAID|ADVERTISING_ID|ANON_ID|Aaid|Advertising Id|Advertising-Id|AdvertisingId'
    || '|Advertising_Id|Anon Id|Anon-Id|AnonId|Anon_Id|CITY|CLICK_ID|CLIENT_DEDUP_ID'
    || '|CLIENT_IP_ADDRESS|CLIENT_USER_AGENT|COUNTRY|COUNTRY_CODE|CT|CUSTOMER_EMAIL'
    || '|CUSTOMER_FIRST_NAME|CUSTOMER_LAST_NAME|CUSTOMER_PHONE|City|Click Id|Click-Id'
    || '|ClickId|Click_Id|Client Dedup Id|Client Ip Address|Client User Agent|Client-Dedup-Id'
    || '|Client-Ip-Address|Client-User-Agent|ClientDedupId|ClientIpAddress|ClientUserAgent'
    || '|Client_Dedup_Id|Client_Ip_Address|Client_User_Agent|Country|Country Code|Country-'
    || 'Code|CountryCode|Country_Code|Ct|Customer Email|Customer First Name'
    || '|Customer Last Name|Customer Phone|Customer-Email|Customer-First-Name|Customer-Last-'
    || 'Name|Customer-Phone|CustomerEmail|CustomerFirstName|CustomerLastName|CustomerPhone'
    || '|Customer_Email|Customer_First_Name|Customer_Last_Name|Customer_Phone|E Mail|E-Mail'
    || '|EM|EMAIL|EMAIL_ADDRESS|EMail|EVENT_SOURCE_URL|EXTERNAL_ID|E_MAIL|E_Mail|Em|Email'
    || '|Email Address|Email-Address|EmailAddress|Email_Address|Event Source Url|Event-'
    || 'Source-Url|EventSourceUrl|Event_Source_Url|External Id|External-Id|ExternalId'
    || '|External_Id|FAMILY_NAME|FIRSTNAME|FIRST_NAME|FN|Family Name|Family-Name|FamilyName'
    || '|Family_Name|First Name|First-Name|FirstName|First_Name|Firstname|Fn|GAID|GE'
    || '|GENDER|GIVEN_NAME|Gaid|Ge|Gender|Given Name|Given-Name|GivenName|Given_Name'
    || '|HASHED_CITY|HASHED_CITY_SHA|HASHED_COUNTRY|HASHED_EMAIL|HASHED_EXTERNAL_ID'
    || '|HASHED_FIRST_NAME|HASHED_FIRST_NAME_SHA|HASHED_GENDER|HASHED_IDFV|HASHED_IP_ADDRESS'
    || '|HASHED_LAST_NAME|HASHED_LAST_NAME_SHA|HASHED_MOBILE_AD_ID|HASHED_PHONE'
    || '|HASHED_PHONE_NUMBER|HASHED_STATE|HASHED_STATE_SHA|HASHED_ZIP|Hashed City'
    || '|Hashed City Sha|Hashed Country|Hashed Email|Hashed External Id|Hashed First Name'
    || '|Hashed First Name Sha|Hashed Gender|Hashed Idfv|Hashed Ip Address|Hashed Last Name'
    || '|Hashed Last Name Sha|Hashed Mobile Ad Id|Hashed Phone|Hashed Phone Number'
    || '|Hashed State|Hashed State Sha|Hashed Zip|Hashed-City|Hashed-City-Sha|Hashed-Country'
    || '|Hashed-Email|Hashed-External-Id|Hashed-First-Name|Hashed-First-Name-Sha|Hashed-Gender'
    || '|Hashed-Idfv|Hashed-Ip-Address|Hashed-Last-Name|Hashed-Last-Name-Sha|Hashed-Mobile-Ad-'
    || 'Id|Hashed-Phone|Hashed-Phone-Number|Hashed-State|Hashed-State-Sha|Hashed-Zip'
    || '|HashedCity|HashedCitySha|HashedCountry|HashedEmail|HashedExternalId|HashedFirstName'
    || '|HashedFirstNameSha|HashedGender|HashedIdfv|HashedIpAddress|HashedLastName'
    || '|HashedLastNameSha|HashedMobileAdId|HashedPhone|HashedPhoneNumber|HashedState'
    || '|HashedStateSha|HashedZip|Hashed_City|Hashed_City_Sha|Hashed_Country|Hashed_Email'
    || '|Hashed_External_Id|Hashed_First_Name|Hashed_First_Name_Sha|Hashed_Gender|Hashed_Idfv'
    || '|Hashed_Ip_Address|Hashed_Last_Name|Hashed_Last_Name_Sha|Hashed_Mobile_Ad_Id'
    || '|Hashed_Phone|Hashed_Phone_Number|Hashed_State|Hashed_State_Sha|Hashed_Zip|IDFA|IDFV'
    || '|IP_ADDRESS|Idfa|Idfv|Ip Address|Ip-Address|IpAddress|Ip_Address|LASTNAME'
    || '|LAST_NAME|LEAD_ID|LN|Last Name|Last-Name|LastName|Last_Name|Lastname|Lead Id'
    || '|Lead-Id|LeadId|Lead_Id|Ln|MADID|MOBILE_AD_ID|MOBILE_NUMBER|MOBILE_PHONE|Madid'
    || '|Mobile Ad Id|Mobile Number|Mobile Phone|Mobile-Ad-Id|Mobile-Number|Mobile-Phone'
    || '|MobileAdId|MobileNumber|MobilePhone|Mobile_Ad_Id|Mobile_Number|Mobile_Phone'
    || '|PAGE_LOCATION|PAGE_URL|PH|PHONE|PHONE_NUMBER|POSTALCODE|POSTAL_CODE|POSTCODE'
    || '|POST_CODE|PROVINCE|PROVINCE_CODE|Page Location|Page Url|Page-Location|Page-Url'
    || '|PageLocation|PageUrl|Page_Location|Page_Url|Ph|Phone|Phone Number|Phone-Number'
    || '|PhoneNumber|Phone_Number|Post Code|Post-Code|PostCode|Post_Code|Postal Code'
    || '|Postal-Code|PostalCode|Postal_Code|Postalcode|Postcode|Province|Province Code'
    || '|Province-Code|ProvinceCode|Province_Code|REGION|REGION_CODE|Region|Region Code'
    || '|Region-Code|RegionCode|Region_Code|SCCID|SCID|SCLID|SC_CLICK_ID|SC_COOKIE1|SEX'
    || '|SHA256_EMAIL|SHA256_EMAIL_ADDRESS|SHA256_FIRST_NAME|SHA256_LAST_NAME'
    || '|SHA256_PHONE_NUMBER|SNAP_CLICK_ID|ST|STATE|STATE_CODE|SUBSCRIPTION_ID|SURNAME'
    || '|Sc Click Id|Sc Cookie1|Sc-Click-Id|Sc-Cookie1|ScClickId|ScCookie1|Sc_Click_Id'
    || '|Sc_Cookie1|Sccid|Scid|Sclid|Sex|Sha256 Email|Sha256 Email Address'
    || '|Sha256 First Name|Sha256 Last Name|Sha256 Phone Number|Sha256-Email|Sha256-Email-'
    || 'Address|Sha256-First-Name|Sha256-Last-Name|Sha256-Phone-Number|Sha256Email'
    || '|Sha256EmailAddress|Sha256FirstName|Sha256LastName|Sha256PhoneNumber|Sha256_Email'
    || '|Sha256_Email_Address|Sha256_First_Name|Sha256_Last_Name|Sha256_Phone_Number'
    || '|Snap Click Id|Snap-Click-Id|SnapClickId|Snap_Click_Id|St|State|State Code|State-'
    || 'Code|StateCode|State_Code|Subscription Id|Subscription-Id|SubscriptionId'
    || '|Subscription_Id|Surname|TELEPHONE|TELEPHONE_NUMBER|TOWN|Telephone|Telephone Number'
    || '|Telephone-Number|TelephoneNumber|Telephone_Number|Town|USER_AGENT|USER_EMAIL'
    || '|USER_HASHED_EMAIL|USER_HASHED_PHONE_NUMBER|USER_MOBILE_AD_ID|USER_PHONE'
    || '|USER_PHONE_NUMBER|UUID_C1|User Agent|User Email|User Hashed Email'
    || '|User Hashed Phone Number|User Mobile Ad Id|User Phone|User Phone Number|User-Agent'
    || '|User-Email|User-Hashed-Email|User-Hashed-Phone-Number|User-Mobile-Ad-Id|User-Phone'
    || '|User-Phone-Number|UserAgent|UserEmail|UserHashedEmail|UserHashedPhoneNumber'
    || '|UserMobileAdId|UserPhone|UserPhoneNumber|User_Agent|User_Email|User_Hashed_Email'
    || '|User_Hashed_Phone_Number|User_Mobile_Ad_Id|User_Phone|User_Phone_Number|Uuid C1'
    || '|Uuid-C1|UuidC1|Uuid_C1|ZIP|ZIPCODE|ZIP_CODE|ZP|Zip|Zip Code|Zip-Code|ZipCode'
    || '|Zip_Code|Zipcode|Zp|_SCID|_scid|aaid|advertising id|advertising-id|advertisingid'
    || '|anon id|anon-id|anonId|anon_id|anonid|click id|click-id|clickId|click_id|clickid'
    || '|client dedup id|client ip address|client user agent|client-dedup-id|client-ip-address'
    || '|client-user-agent|clientDedupId|clientIpAddress|clientUserAgent|client_dedup_id'
    || '|client_ip_address|client_user_agent|clientdedupid|clientipaddress|clientuseragent'
    || '|country code|country-code|countryCode|country_code|countrycode|ct|customer email'
    || '|customer first name|customer last name|customer phone|customer-email|customer-first-'
    || 'name|customer-last-name|customer-phone|customerEmail|customerFirstName'
    || '|customerLastName|customerPhone|customer_email|customer_first_name|customer_last_name'
    || '|customer_phone|customeremail|customerfirstname|customerlastname|customerphone|e mail'
    || '|e-mail|eMail|e_mail|em|email address|email-address|emailAddress|email_address'
    || '|emailaddress|event source url|event-source-url|eventSourceUrl|event_source_url'
    || '|eventsourceurl|external id|external-id|externalId|externalid|family name|family-'
    || 'name|familyName|family_name|familyname|first name|first-name|firstname|fn|gaid|ge'
    || '|given name|given-name|givenName|given_name|givenname|hashed city|hashed city sha'
    || '|hashed country|hashed email|hashed external id|hashed first name'
    || '|hashed first name sha|hashed gender|hashed idfv|hashed ip address|hashed last name'
    || '|hashed last name sha|hashed mobile ad id|hashed phone|hashed phone number'
    || '|hashed state|hashed state sha|hashed zip|hashed-city|hashed-city-sha|hashed-country'
    || '|hashed-email|hashed-external-id|hashed-first-name|hashed-first-name-sha|hashed-gender'
    || '|hashed-idfv|hashed-ip-address|hashed-last-name|hashed-last-name-sha|hashed-mobile-ad-'
    || 'id|hashed-phone|hashed-phone-number|hashed-state|hashed-state-sha|hashed-zip'
    || '|hashedCity|hashedCitySha|hashedCountry|hashedEmail|hashedExternalId|hashedFirstName'
    || '|hashedFirstNameSha|hashedGender|hashedIdfv|hashedIpAddress|hashedLastName'
    || '|hashedLastNameSha|hashedMobileAdId|hashedPhone|hashedPhoneNumber|hashedState'
    || '|hashedStateSha|hashedZip|hashed_city|hashed_city_sha|hashed_country|hashed_email'
    || '|hashed_external_id|hashed_first_name|hashed_first_name_sha|hashed_gender|hashed_idfv'
    || '|hashed_ip_address|hashed_last_name|hashed_last_name_sha|hashed_mobile_ad_id'
    || '|hashed_phone|hashed_phone_number|hashed_state|hashed_state_sha|hashed_zip|hashedcity'
    || '|hashedcitysha|hashedcountry|hashedemail|hashedexternalid|hashedfirstname'
    || '|hashedfirstnamesha|hashedgender|hashedidfv|hashedipaddress|hashedlastname'
    || '|hashedlastnamesha|hashedmobileadid|hashedphone|hashedphonenumber|hashedstate'
    || '|hashedstatesha|hashedzip|idfa|ip address|ip-address|ipAddress|ipaddress|last name'
    || '|last-name|lastname|lead id|lead-id|leadId|lead_id|leadid|ln|madid|mobile ad id'
    || '|mobile number|mobile phone|mobile-ad-id|mobile-number|mobile-phone|mobileAdId'
    || '|mobileNumber|mobilePhone|mobile_ad_id|mobile_number|mobile_phone|mobileadid'
    || '|mobilenumber|mobilephone|page location|page url|page-location|page-url|pageLocation'
    || '|pageUrl|page_location|page_url|pagelocation|pageurl|ph|phone number|phone-number'
    || '|phoneNumber|phone_number|phonenumber|post code|post-code|postCode|post_code'
    || '|postal code|postal-code|postalcode|postcode|province|province code|province-code'
    || '|provinceCode|province_code|provincecode|region|region code|region-code|regionCode'
    || '|region_code|regioncode|sc click id|sc cookie1|sc-click-id|sc-cookie1|scClickId'
    || '|scCookie1|sc_click_id|sccid|scclickid|sccookie1|scid|sclid|sex|sha256 email'
    || '|sha256 email address|sha256 first name|sha256 last name|sha256 phone number'
    || '|sha256-email|sha256-email-address|sha256-first-name|sha256-last-name|sha256-phone-'
    || 'number|sha256Email|sha256EmailAddress|sha256FirstName|sha256LastName'
    || '|sha256PhoneNumber|sha256_email|sha256_email_address|sha256_first_name'
    || '|sha256_last_name|sha256_phone_number|sha256email|sha256emailaddress|sha256firstname'
    || '|sha256lastname|sha256phonenumber|snap click id|snap-click-id|snapClickId'
    || '|snap_click_id|snapclickid|st|state code|state-code|stateCode|state_code|statecode'
    || '|subscription id|subscription-id|subscriptionId|subscription_id|subscriptionid'
    || '|surname|telephone|telephone number|telephone-number|telephoneNumber|telephone_number'
    || '|telephonenumber|town|user agent|user email|user hashed email'
    || '|user hashed phone number|user mobile ad id|user phone|user phone number|user-agent'
    || '|user-email|user-hashed-email|user-hashed-phone-number|user-mobile-ad-id|user-phone'
    || '|user-phone-number|userEmail|userHashedEmail|userHashedPhoneNumber|userMobileAdId'
    || '|userPhone|userPhoneNumber|user_email|user_hashed_email|user_hashed_phone_number'
    || '|user_mobile_ad_id|user_phone|user_phone_number|useragent|useremail|userhashedemail'
    || '|userhashedphonenumber|usermobileadid|userphone|userphonenumber|uuid c1|uuid-c1'
    || '|uuidC1|uuid_c1|uuidc1|zip code|zip-code|zipCode|zip_code|zipcode|zp'
    -- [[[end]]]
    || ')\\?"'
);

-- Tells whether properties have a name that raw_events.sql reads from every line, but not from properties.
create or replace macro has_match_field(properties) as regexp_matches(
    properties::varchar,
    '"(?:address'
    -- [[[cog cog.outl(blocks.common_names()) ]]]
    || '|advertising_id|city|country|email|external_id|firstName|first_name|gender|idfv'
    || '|ip_address|lastName|last_name|page_url|phone|postalCode|postal_code|sc_cookie1'
    || '|state|user_agent|zip'
    -- [[[end]]]
    || ')\\?"'
);

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
                    when json_type(word.value) = 'ARRAY' and not word.match.is_list then word.value -> 0
                    else word.value
                end
            }
        ),
        lambda word: word.match is not null and json_type(word.value) != 'OBJECT'
        and null_if_blank_short(word.value ->> '$') is not null
    )
);

-- The same of an object, of the `user_data` in it, and of the address in either.
create or replace macro match_words_in(object) as flatten(
    list_transform(
        [
            object,
            address_in(object),
            json_extract(object, '$.user_data'),
            address_in(json_extract(object, '$.user_data'))
        ],
        lambda part: match_words(part)
    )
);

-- The match fields of properties. A `gender` or a `state` alone is a product's or an order's, and the places of a trip
-- are no address.
create or replace macro match_words_in_properties(properties) as list_transform(
    [match_words_in(properties)],
    lambda words: list_filter(
        words,
        lambda word: case
            when word.match.field in ('gender', 'state')
                then list_has_any(
                    list_transform(words, lambda each: each.match.field),
                    ['emails', 'phones', 'first_name', 'last_name', 'city', 'zip']
                )
            else true
        end
        and not (
            word.match.field in ('city', 'state', 'zip', 'country')
            and len(list_filter(json_keys(properties), lambda name: name in (
                'checkin_date', 'travel_start', 'travel_end', 'origin_airport', 'destination_airport', 'hotel_score',
                'departing_departure_date', 'destination_ids', 'suggested_destinations', 'suggested_hotels'
            ))) > 0
        )
    )
)[1];

-- What an event says to Snap alone, among Segment's `integrations`.
create or replace macro snap_integration(integrations) as json_extract(
    integrations,
    '/' || replace(replace(
        list_filter(json_keys(integrations), lambda name: contains(lower(name), 'snap'))[1], '~', '~0'
    ), '/', '~1')
);

-- The match fields of a line under any name, in order of preference: the event's own words before its context.
create or replace macro match_words_of_line(line, properties, click_ids) as flatten([
    list_filter(match_words(click_ids), lambda word: word.match.field = 'sc_click_id'),
    match_words_in(line),
    match_words_in_properties(properties),
    flatten(
        list_transform(
            [
                object_of(json_extract(line, '$.traits')),
                snap_integration(json_extract(line, '$.integrations')),
                object_of(json_extract(line, '$.context.traits'))
            ],
            lambda place: match_words_in(place)
        )
    )
]);

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

-- Devices of app events: platform, tracking permission, store id and time zone (snap-api.md, section 3.7). Needs
-- normalize.sql and consent.sql.

-- The platform that a text names, `ios` or `android`; null for any other. Apple's other systems count as iOS: their
-- apps ask for the same permission.
create or replace macro platform_named(text) as map_extract_value(
    map {
        'ios': 'ios', 'ipad': 'ios', 'iphone': 'ios', 'ipod': 'ios', 'tvos': 'ios', 'visionos': 'ios',
        'watchos': 'ios', 'cfnetwork': 'ios', 'darwin': 'ios', 'android': 'android', 'dalvik': 'android'
    },
    regexp_extract(lower(text), '\b(ios|ipad|iphone|ipod|tvos|visionos|watchos|cfnetwork|darwin|android|dalvik)', 1)
);

-- The platform of a device; null where nothing tells it. A user agent has Apple's or Android's marks, also that of the
-- system's own HTTP client; only Apple has identifiers for vendors (IDFV).
create or replace macro device_platform(os_name, device_type, user_agent, idfv) as coalesce(
    platform_named(os_name),
    platform_named(device_type),
    platform_named(user_agent),
    case when idfv is not null then 'ios' end
);

-- Whether Apple's App Tracking Transparency was answered with a permission: its number (0 not determined, 1 restricted,
-- 2 denied, 3 authorized), or its word, also with the enumeration's name before it. Null for any other text.
create or replace macro is_tracking_authorized(status) as map_extract_value(
    map {
        '3': true, 'authorized': true, 'authorised': true, 'granted': true, 'allowed': true, 'true': true,
        '0': false, '1': false, '2': false, 'notdetermined': false, 'undetermined': false, 'restricted': false,
        'denied': false, 'false': false
    },
    regexp_replace(lower(status), '^attrackingmanager(?:authorizationstatus)?|\.0+$|[^a-z0-9]+', '', 'g')
);

-- The answer of a flag such as adTrackingEnabled, which may be a status too.
create or replace macro is_tracking_enabled(flag) as coalesce(is_consent_given(flag), is_tracking_authorized(flag));

-- Of several statuses or flags, the first that refuses, else the first that is given. Most events have one or none.
create or replace macro strictest_att_status(statuses) as list_transform(
    [list_filter(statuses, lambda status: status is not null)],
    lambda given: case
        when len(given) > 1
            then coalesce(list_filter(given, lambda status: not is_tracking_authorized(status))[1], given[1])
        else given[1]
    end
)[1];

create or replace macro strictest_tracking(flags) as list_transform(
    [list_filter(flags, lambda flag: flag is not null)],
    lambda given: case
        when len(given) > 1 then coalesce(list_filter(given, lambda flag: not is_tracking_enabled(flag))[1], given[1])
        else given[1]
    end
)[1];

-- An app's id in its store: Apple's number, or Android's package name; null for the other platform's, so that a bundle
-- id is no id of the App Store. Where the platform is unknown, either will do.
create or replace macro store_app_id(id, platform) as null_if_empty(
    case platform
        when 'ios' then regexp_extract(id, '^\s*(?:id)?([0-9]{5,})\s*$', 1)
        when 'android' then regexp_extract(id, '^\s*([A-Za-z]\w*(?:\.\w+)+)\s*$', 1)
        else regexp_extract(id, '^\s*(?:id)?([0-9]{5,}|[A-Za-z]\w*(?:\.\w+)+)\s*$', 1)
    end
);

-- The minutes by which a time zone was ahead of UTC. DuckDB fails on an unknown zone, which try() does not prevent, so
-- that only zones of the variable `time_zones` are looked up.
create or replace macro utc_offset_minutes(time_zone, utc_time) as case
    when getvariable('time_zones')[time_zone] is not null
        then ((epoch(timezone(time_zone, timezone('UTC', utc_time))) - epoch(utc_time)) / 60)::integer
end;

-- A time zone's abbreviation at an offset, `CET` or `CEST`, from the seed time_zones.csv, which is part of the variable
-- `time_zones`. Zones that have none get the form of Snap's sample, `GMT-3`.
create or replace macro time_zone_abbreviation(time_zone, minutes) as coalesce(
    getvariable('time_zones')[time_zone][minutes],
    'GMT' || case when minutes < 0 then '-' else '+' end || (abs(minutes) // 60)
    || case when minutes % 60 <> 0 then ':' || lpad((abs(minutes) % 60)::varchar, 2, '0') else '' end
);

-- The object of Segment's `integrations` that is for Snap, whatever the integration is called; null if there is none.
create or replace macro snap_integration(integrations) as list_transform(
    list_filter(json_keys(integrations), lambda name: contains(lower(name), 'snap')),
    lambda name: object_of(json_extract(integrations, '/' || replace(replace(name, '~', '~0'), '/', '~1')))
)[1];

-- Whether data processing options or `data_use`, as text, ask for limited use: LMU, Meta's LDU, DELETE or a plain yes,
-- in a list, as a text or as the text of a list. False if they ask for nothing, null if they cannot be read.
create or replace macro asks_for_limited_use(options) as case
    when regexp_matches(options, '(?i)(?:^|[^a-z])(?:lmu|ldu|delete|limited(?:[ _-]?data)?[ _-]?use)(?:[^a-z]|$)')
        then true
    else is_consent_given(coalesce(nullif(regexp_replace(options, '(?i)[^a-z0-9]+|null|none', '', 'g'), ''), 'no'))
end;

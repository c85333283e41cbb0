-- Identity links: the identity signals of one hour, by anonymous id and person, hashed. A row covers one period in
-- which no other person was recognized under that anonymous id; `person` is null for signals without a user id. A row
-- without an anonymous id holds the signals that a server sent about a person. Reads `raw_events` (with
-- file_row_number) and the variables of the mappings.
with cleaned_events as (
    select
        *,
        -- Both in one expression, so that DuckDB plans the search for plaintext once.
        case
            when looks_like_plaintext(concat_ws(' ', sc_click_id, sc_cookie1))
                then list_transform(
                    [replace(sc_click_id, chr(31), ''), sc_cookie1], lambda value: without_plaintext(value)
                )
            else [replace(sc_click_id, chr(31), ''), sc_cookie1]
        end as click_values
    from raw_events
),

events as (
    select
        workspace,
        pseudonym(anonymous_id) as anonymous_id,
        pseudonym(coalesce(user_id, external_ids[1])) as person,
        case when call_type = 'alias' then pseudonym(previous_id) end as previous_id,
        event_time,
        -- Orders events from oldest to newest: by time, and at the same moment by the order of landing.
        epoch_us(event_time)::hugeint * 4294967296 + file_row_number as recency,
        consent_state(consent) as consent_state,
        emails,
        phones,
        first_name,
        last_name,
        gender,
        city,
        state,
        zip,
        country,
        coalesce(external_ids, case when user_id is not null then [user_id] end) as external_ids,
        null_if_empty(click_values[1]) as sc_click_id,
        click_values[2] as sc_cookie1
    from cleaned_events
    where
        is_forgotten is not true
        and event_time <= getvariable('hour_end') + interval 10 minutes
        and coalesce(anonymous_id, user_id, external_ids[1]) is not null
),

signals as (
    select
        * exclude (previous_id),
        false as is_alias,
        -- Keep only the denial of an event that denies consent.
        coalesce(consent_state = 'denied', false) as is_denial
    from events
    where
        person is not null
        or consent_state is not null
        or coalesce(emails[1], phones[1], first_name, last_name, zip, city, sc_click_id, sc_cookie1) is not null
    union all by name
    -- An alias: from now on, the previous id stands for this person.
    select
        workspace,
        previous_id as anonymous_id,
        person,
        event_time,
        recency,
        true as is_alias,
        true as is_denial
    from events
    where previous_id is not null and person is not null and previous_id != person
),

-- Most anonymous ids belong to one person for the whole hour: the first event that identifies them starts their period.
recognized_devices as (
    select
        workspace,
        anonymous_id,
        min(recency) filter (where coalesce(person, emails[1]) is not null) as first_recognition,
        min(coalesce(person, emails[1])) != max(coalesce(person, emails[1])) as is_shared
    from signals
    where anonymous_id is not null
    group by all
),

shared_device_people as (
    select
        signals.workspace,
        signals.anonymous_id,
        signals.recency,
        coalesce(signals.person, signals.emails[1]) as identifier,
        lag(identifier) over (
            partition by signals.workspace, signals.anonymous_id
            order by signals.recency, signals.is_alias
        ) as previous_identifier
    from signals
    inner join recognized_devices using (workspace, anonymous_id)
    where recognized_devices.is_shared and coalesce(signals.person, signals.emails[1]) is not null
),

person_changes as (
    select
        workspace,
        anonymous_id,
        max(recency) as recency,
        row_number() over (partition by workspace, anonymous_id order by max(recency)) as period
    from shared_device_people
    where identifier is distinct from previous_identifier
    group by workspace, anonymous_id, recency
),

shared_device_periods as (
    select distinct
        signals.workspace,
        signals.anonymous_id,
        signals.recency,
        person_changes.period
    from signals
    inner join recognized_devices using (workspace, anonymous_id)
    asof inner join person_changes
        on
            signals.workspace = person_changes.workspace
            and signals.anonymous_id = person_changes.anonymous_id
            and signals.recency >= person_changes.recency
    where recognized_devices.is_shared
),

device_periods as (
    -- '' in place of null, which would not be joined below.
    select
        signals.* exclude (anonymous_id, person),
        coalesce(signals.anonymous_id, '') as device,
        coalesce(signals.person, '') as owner,
        coalesce(shared.period, (signals.recency >= recognized_devices.first_recognition)::bigint, 0) as period
    from signals
    left join recognized_devices using (workspace, anonymous_id)
    left join shared_device_periods as shared using (workspace, anonymous_id, recency)
),

clicks as (
    select
        workspace,
        device,
        owner,
        period,
        string_agg(timed_signal(clicked_at, sc_click_id), chr(31) order by clicked_at, sc_click_id) as clicks
    from (
        select
            workspace,
            device,
            owner,
            period,
            sc_click_id,
            min(event_time) as clicked_at
        from device_periods
        where sc_click_id is not null and not is_denial
        group by all
    )
    group by all
),

choices as (
    select
        workspace,
        device,
        owner,
        period,
        string_agg(timed_signal(event_time, consent_state), chr(31) order by recency) as choices
    from (
        select *
        from device_periods
        where consent_state is not null
        window
            consent_order as (
                partition by workspace, device, owner, period
                order by recency
            )
        -- First and last of each run of equal choices: another choice may have been made on another device in between.
        qualify
            consent_state is distinct from lag(consent_state) over consent_order
            or consent_state is distinct from lead(consent_state) over consent_order
    )
    group by all
),

newest_values as (
    select
        workspace,
        device,
        owner,
        period,
        is_alias,
        min(event_time) as first_seen_at,
        max(event_time) as last_seen_at,
        -- [[[cog cog.outl(blocks.newest_values()) ]]]
        arg_max(emails, recency) filter (where emails is not null and not is_denial) as emails,
        arg_max(phones, recency) filter (where phones is not null and not is_denial) as phones,
        arg_max(first_name, recency) filter (where first_name is not null and not is_denial) as first_name,
        arg_max(last_name, recency) filter (where last_name is not null and not is_denial) as last_name,
        arg_max(gender, recency) filter (where gender is not null and not is_denial) as gender,
        arg_max(city, recency) filter (where city is not null and not is_denial) as city,
        arg_max(state, recency) filter (where state is not null and not is_denial) as state,
        arg_max(zip, recency) filter (where zip is not null and not is_denial) as zip,
        arg_max(country, recency) filter (where country is not null and not is_denial) as country,
        arg_max(external_ids, recency) filter (where external_ids is not null and not is_denial) as external_ids,
        arg_max(sc_cookie1, recency) filter (where sc_cookie1 is not null and not is_denial) as sc_cookie1
        -- [[[end]]]
    from device_periods
    group by all
),

localized as (
    select
        *,
        country_code(country) as country_code,
        getvariable('workspace_settings')[workspace].default_calling_code as calling_code
    from newest_values
),

with_phones as (
    select
        *,
        phone_origin(country_code, calling_code) as phone_origin,
        in_order_once(hashed_phones(phones, phone_origin)) as hashed_phones
    from localized
),

-- In a CTE of its own: DuckDB plans an expression anew for every reuse of its name in the same select list.
hashed as (
    select
        workspace,
        device,
        owner,
        period,
        is_alias,
        first_seen_at,
        last_seen_at,
        -- Lists are stored as text, which takes half as long to read.
        array_to_string(in_order_once(hashed_emails(emails)), ',') as em,
        array_to_string(hashed_phones, ',') as ph,
        -- [[[cog cog.outl(blocks.hashed_columns()) ]]]
        hashed_name(first_name) as fn,
        hashed_name(last_name) as ln,
        hashed_gender(gender) as ge,
        hashed_city(city) as ct,
        hashed_state(state, country_code) as st,
        hashed_zip(zip, country_code) as zp,
        coalesce(given_digest(country), sha256(country_code)) as country,
        -- [[[end]]]
        -- [[[cog cog.outl(blocks.hashed_v2_columns()) ]]]
        hashed_name_v2(first_name) as first_name_v2,
        hashed_name_v2(last_name) as last_name_v2,
        hashed_city_v2(city) as city_v2,
        -- [[[end]]]
        -- The owner's id comes first.
        external_ids_as_sent(
            list_concat([nullif(owner, '')], external_ids), hashed_phones, phones, phone_origin
        ) as external_ids,
        sc_cookie1
    from with_phones
)

select
    workspace,
    coalesce(device_number_of(workspace, nullif(device, '')), id_number(workspace, owner)) as device_number,
    id_number(workspace, nullif(owner, '')) as person_number,
    -- The previous id of an alias, numbered as a person's id: it may have been an anonymous id or a user id.
    case when is_alias then id_number(workspace, device) end as alias_number,
    nullif(device, '') as anonymous_id,
    external_ids[1] as person,
    first_seen_at,
    last_seen_at,
    em,
    ph,
    -- [[[cog cog.outl(blocks.hashed_names()) ]]]
    fn,
    ln,
    ge,
    ct,
    st,
    zp,
    country,
    -- [[[end]]]
    -- Stored only where version 2 of the API hashes them differently.
    -- [[[cog cog.outl(blocks.stored_v2_columns()) ]]]
    nullif(first_name_v2, fn) as first_name_v2,
    nullif(last_name_v2, ln) as last_name_v2,
    nullif(city_v2, ct) as city_v2,
    -- [[[end]]]
    array_to_string(
        in_order_once(list_filter(external_ids[2:], lambda id: id is not null)), chr(31)
    ) as external_id,
    sc_cookie1,
    clicks.clicks,
    choices.choices,
    md5_number_lower(em) as emails_number,
    (
        -- [[[cog cog.outl(blocks.kind_bits()) ]]]
        if(ph is null, 0, kind_bit('ph'))
        + if(fn is null, 0, kind_bit('fn'))
        + if(ln is null, 0, kind_bit('ln'))
        + if(ge is null, 0, kind_bit('ge'))
        + if(ct is null, 0, kind_bit('ct'))
        + if(st is null, 0, kind_bit('st'))
        + if(zp is null, 0, kind_bit('zp'))
        + if(country is null, 0, kind_bit('country'))
        + if(external_id is null, 0, kind_bit('external_id'))
        + if(sc_cookie1 is null, 0, kind_bit('sc_cookie1'))
        -- [[[end]]]
    )::usmallint as kinds
from hashed
left join clicks using (workspace, device, owner, period)
left join choices using (workspace, device, owner, period)
order by device_number, person_number, first_seen_at, period, is_alias

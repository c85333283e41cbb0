-- What an hour taught us of each anonymous id: whose it was and when, and what is known of that person, hashed. A row
-- is one stretch of time in which nobody else was recognized at that anonymous id; `person` is null for what happened
-- there without a user id. A row without an anonymous id is what a server said of a person. Reads `raw_events` (with
-- file_row_number) and the variables of the mappings.
with clicked as (
    select
        *,
        -- Both together, so that what looks for plaintext is planned once.
        case
            when looks_like_plaintext(concat_ws(' ', sc_click_id, sc_cookie1))
                then list_transform(
                    [replace(sc_click_id, chr(31), ''), sc_cookie1], lambda given: without_plaintext(given)
                )
            else [replace(sc_click_id, chr(31), ''), sc_cookie1]
        end as signs
    from raw_events
),

heard as (
    select
        workspace,
        pseudonym(anonymous_id) as anonymous_id,
        pseudonym(coalesce(user_id, external_ids[1])) as person,
        case when call_type = 'alias' then pseudonym(previous_id) end as previous_id,
        event_time,
        -- What is newest: by time, and within a moment by the order of landing.
        epoch_us(event_time)::hugeint * 4294967296 + file_row_number as seen,
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
        nonempty(signs[1]) as sc_click_id,
        signs[2] as sc_cookie1
    from clicked
    where
        is_forgotten is not true
        and event_time <= getvariable('hour_end') + interval 10 minutes
        and coalesce(anonymous_id, user_id, external_ids[1]) is not null
),

taught as (
    select
        * exclude (previous_id),
        false as is_alias,
        -- Who refuses teaches us the refusal, and nothing to send to Snap.
        coalesce(consent_state = 'denied', false) as is_refusal
    from heard
    where
        person is not null
        or consent_state is not null
        or coalesce(emails[1], phones[1], first_name, last_name, zip, city, sc_click_id, sc_cookie1) is not null
    union all by name
    -- An alias says that whoever had the previous id is the person from now on.
    select
        workspace,
        previous_id as anonymous_id,
        person,
        event_time,
        seen,
        true as is_alias,
        true as is_refusal
    from heard
    where previous_id is not null and person is not null and previous_id != person
),

-- Most anonymous ids are one person's for the whole hour, and then the moment of the first sign divides it.
recognized as (
    select
        workspace,
        anonymous_id,
        min(seen) filter (where coalesce(person, emails[1]) is not null) as first_seen,
        min(coalesce(person, emails[1])) != max(coalesce(person, emails[1])) as is_shared
    from taught
    where anonymous_id is not null
    group by all
),

signs_of_several as (
    select
        taught.workspace,
        taught.anonymous_id,
        taught.seen,
        coalesce(taught.person, taught.emails[1]) as sign,
        lag(sign) over (
            partition by taught.workspace, taught.anonymous_id
            order by taught.seen, taught.is_alias
        ) as sign_before
    from taught
    inner join recognized using (workspace, anonymous_id)
    where recognized.is_shared and coalesce(taught.person, taught.emails[1]) is not null
),

changes as (
    select
        workspace,
        anonymous_id,
        max(seen) as seen,
        row_number() over (partition by workspace, anonymous_id order by max(seen)) as stretch
    from signs_of_several
    where sign is distinct from sign_before
    group by workspace, anonymous_id, seen
),

stretches_of_several as (
    select distinct
        taught.workspace,
        taught.anonymous_id,
        taught.seen,
        changes.stretch
    from taught
    inner join recognized using (workspace, anonymous_id)
    asof inner join changes
        on
            taught.workspace = changes.workspace
            and taught.anonymous_id = changes.anonymous_id
            and taught.seen >= changes.seen
    where recognized.is_shared
),

stretches as (
    -- What is null here would not be joined below.
    select
        taught.* exclude (anonymous_id, person),
        coalesce(taught.anonymous_id, '') as device,
        coalesce(taught.person, '') as owner,
        coalesce(several.stretch, (taught.seen >= recognized.first_seen)::bigint, 0) as stretch
    from taught
    left join recognized using (workspace, anonymous_id)
    left join stretches_of_several as several using (workspace, anonymous_id, seen)
),

clicks as (
    select
        workspace,
        device,
        owner,
        stretch,
        string_agg(moment_and_word(clicked_at, sc_click_id), chr(31) order by clicked_at, sc_click_id) as clicks
    from (
        select
            workspace,
            device,
            owner,
            stretch,
            sc_click_id,
            min(event_time) as clicked_at
        from stretches
        where sc_click_id is not null and not is_refusal
        group by all
    )
    group by all
),

choices as (
    select
        workspace,
        device,
        owner,
        stretch,
        string_agg(moment_and_word(event_time, consent_state), chr(31) order by seen) as choices
    from (
        select *
        from stretches
        where consent_state is not null
        window
            said as (
                partition by workspace, device, owner, stretch
                order by seen
            )
        -- The first and the last of what was repeated: between them something else may have been said elsewhere.
        qualify
            consent_state is distinct from lag(consent_state) over said
            or consent_state is distinct from lead(consent_state) over said
    )
    group by all
),

newest as (
    select
        workspace,
        device,
        owner,
        stretch,
        is_alias,
        min(event_time) as first_seen_at,
        max(event_time) as last_seen_at,
        arg_max(emails, seen) filter (where emails is not null and not is_refusal) as emails,
        arg_max(phones, seen) filter (where phones is not null and not is_refusal) as phones,
        arg_max(first_name, seen) filter (where first_name is not null and not is_refusal) as first_name,
        arg_max(last_name, seen) filter (where last_name is not null and not is_refusal) as last_name,
        arg_max(gender, seen) filter (where gender is not null and not is_refusal) as gender,
        arg_max(city, seen) filter (where city is not null and not is_refusal) as city,
        arg_max(state, seen) filter (where state is not null and not is_refusal) as state,
        arg_max(zip, seen) filter (where zip is not null and not is_refusal) as zip,
        arg_max(country, seen) filter (where country is not null and not is_refusal) as country,
        arg_max(external_ids, seen) filter (where external_ids is not null and not is_refusal) as external_ids,
        arg_max(sc_cookie1, seen) filter (where sc_cookie1 is not null and not is_refusal) as sc_cookie1
    from stretches
    group by all
),

placed as (
    select
        *,
        country_code(country) as country_code,
        getvariable('workspace_settings')[workspace].default_calling_code as calling_code,
        in_order_once(hashed_phones(phones, calling_code)) as hashed_phones
    from newest
),

-- In a step of its own: a name that the same list of columns uses again is planned again.
hashed as (
    select
        workspace,
        device,
        owner,
        stretch,
        is_alias,
        first_seen_at,
        last_seen_at,
        -- Lists stand here as text, which takes half as long to read.
        array_to_string(in_order_once(hashed_emails(emails)), ',') as em,
        array_to_string(hashed_phones, ',') as ph,
        hashed_name(first_name) as fn,
        hashed_name(last_name) as ln,
        hashed_gender(gender) as ge,
        hashed_city(city) as ct,
        hashed_state(state, country_code) as st,
        hashed_zip(zip, country_code) as zp,
        coalesce(given_digest(country), sha256(country_code)) as country,
        hashed_name_v2(first_name) as first_name_v2,
        hashed_name_v2(last_name) as last_name_v2,
        hashed_city_v2(city) as city_v2,
        -- The owner among them, as the first.
        external_ids_as_sent(
            list_concat([nullif(owner, '')], external_ids), hashed_phones, calling_code
        ) as external_ids,
        sc_cookie1
    from placed
)

select
    workspace,
    coalesce(device_number_of(workspace, nullif(device, '')), id_number(workspace, owner)) as device_number,
    id_number(workspace, nullif(owner, '')) as person_number,
    -- The previous id of an alias, as a person's: it may have been an anonymous id or a user id.
    case when is_alias then id_number(workspace, device) end as alias_number,
    nullif(device, '') as anonymous_id,
    external_ids[1] as person,
    first_seen_at,
    last_seen_at,
    em,
    ph,
    fn,
    ln,
    ge,
    ct,
    st,
    zp,
    country,
    -- Where version 2 hashes them otherwise.
    nullif(first_name_v2, fn) as first_name_v2,
    nullif(last_name_v2, ln) as last_name_v2,
    nullif(city_v2, ct) as city_v2,
    array_to_string(
        in_order_once(list_filter(external_ids[2:], lambda id: id is not null)), chr(31)
    ) as external_id,
    sc_cookie1,
    clicks.clicks,
    choices.choices,
    md5_number_lower(em) as emails_number,
    (
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
    )::usmallint as kinds
from hashed
left join clicks using (workspace, device, owner, stretch)
left join choices using (workspace, device, owner, stretch)
order by device_number, person_number, first_seen_at, stretch, is_alias

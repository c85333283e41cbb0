-- Received events, with all personal data of forgotten people removed. Reads `received_events` and the variable
-- `tombstones`, the digests that `snap-pipeline forget` wrote.
with matched_events as (
    select
        *,
        is_forgotten
        or list_has_any(
            tombstone_digests(user_id, previous_id, external_ids, anonymous_id, emails, phones),
            getvariable('tombstones')
        ) as is_match
    from received_events
)

select
    * exclude (is_match) replace (
        if(is_match, null, anonymous_id) as anonymous_id,
        if(is_match, null, user_id) as user_id,
        if(is_match, null, previous_id) as previous_id,
        if(is_match, null, external_ids) as external_ids,
        if(is_match, null, emails) as emails,
        if(is_match, null, phones) as phones,
        if(is_match, null, first_name) as first_name,
        if(is_match, null, last_name) as last_name,
        if(is_match, null, gender) as gender,
        if(is_match, null, city) as city,
        if(is_match, null, state) as state,
        if(is_match, null, zip) as zip,
        if(is_match, null, country) as country,
        if(is_match, null, ip_address) as ip_address,
        if(is_match, null, user_agent) as user_agent,
        if(is_match, null, page_url) as page_url,
        if(is_match, null, sc_click_id) as sc_click_id,
        if(is_match, null, sc_cookie1) as sc_cookie1,
        if(is_match, null, advertising_id) as advertising_id,
        if(is_match, null, idfv) as idfv,
        if(is_match, null, consent) as consent,
        if(is_match, null, order_id) as order_id,
        if(is_match, null, properties) as properties,
        is_match as is_forgotten
    )
from matched_events

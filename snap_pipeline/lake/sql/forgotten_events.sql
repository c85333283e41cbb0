-- Events as they were received, those of forgotten people with nothing left by which they could be recognized. Reads
-- `received_events` and the variable `tombstones`, the digests that `snap-pipeline forget` wrote.
with recognized as (
    select
        *,
        is_forgotten
        or list_has_any(
            tombstone_digests(user_id, previous_id, external_ids, anonymous_id, emails, phones),
            getvariable('tombstones')
        ) as is_found
    from received_events
)

select
    * exclude (is_found) replace (
        if(is_found, null, anonymous_id) as anonymous_id,
        if(is_found, null, user_id) as user_id,
        if(is_found, null, previous_id) as previous_id,
        if(is_found, null, external_ids) as external_ids,
        if(is_found, null, emails) as emails,
        if(is_found, null, phones) as phones,
        if(is_found, null, first_name) as first_name,
        if(is_found, null, last_name) as last_name,
        if(is_found, null, gender) as gender,
        if(is_found, null, city) as city,
        if(is_found, null, state) as state,
        if(is_found, null, zip) as zip,
        if(is_found, null, country) as country,
        if(is_found, null, ip_address) as ip_address,
        if(is_found, null, user_agent) as user_agent,
        if(is_found, null, page_url) as page_url,
        if(is_found, null, sc_click_id) as sc_click_id,
        if(is_found, null, sc_cookie1) as sc_cookie1,
        if(is_found, null, advertising_id) as advertising_id,
        if(is_found, null, idfv) as idfv,
        if(is_found, null, consent) as consent,
        if(is_found, null, order_id) as order_id,
        if(is_found, null, properties) as properties,
        is_found as is_forgotten
    )
from recognized

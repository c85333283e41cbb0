-- A person's sightings: hours, devices and user ids, as digests. Reads `raw_events` (with hour); takes the person's
-- digests. Hours that an older version read may hold ids that stand for nobody, which lead to strangers.
select distinct
    hour,
    case when placeholders_among(anonymous_id) = [] then sha256('anonymous ' || anonymous_id) end as device,
    list_sort(
        list_transform(
            list_filter(
                list_concat([user_id], [if(call_type = 'alias', previous_id, null)], coalesce(external_ids, [])),
                lambda id: placeholders_among(id) = []
            ),
            lambda id: sha256('user ' || id)
        )
    ) as users
from raw_events
where
    is_forgotten is not true
    and list_has_any(
        tombstone_digests(user_id, previous_id, external_ids, anonymous_id, emails, phones), $digests::varchar[]
    )

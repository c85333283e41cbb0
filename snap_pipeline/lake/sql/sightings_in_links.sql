-- A person's sightings, as in `sightings.sql`, in hours that have links alone. Reads `identity_links` (with hour);
-- takes the person's digests.
select distinct
    hour,
    case when placeholders_among(anonymous_id) = [] then sha256('anonymous ' || anonymous_id) end as device,
    list_sort(
        list_distinct(
            list_transform(
                list_filter(
                    list_concat([person], coalesce(string_split(external_id, chr(31)), [])),
                    lambda id: placeholders_among(id) = []
                ),
                lambda id: sha256('user ' || id)
            )
        )
    ) as users
from identity_links
where list_has_any(link_digests(anonymous_id, person, external_id, em, ph), $digests::varchar[])

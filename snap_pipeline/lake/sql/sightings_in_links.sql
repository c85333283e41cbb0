-- As `sightings.sql`, of hours of which only the links are there. Reads `identity_links` (with hour); takes the digests
-- that the person is recognized by.
select distinct
    hour,
    sha256('anonymous ' || anonymous_id) as device,
    list_sort(
        list_distinct(
            list_transform(
                list_filter(
                    list_concat([person], coalesce(string_split(external_id, chr(31)), [])), lambda id: id is not null
                ),
                lambda id: sha256('user ' || id)
            )
        )
    ) as users
from identity_links
where list_has_any(link_digests(anonymous_id, person, external_id, em, ph), $digests::varchar[])

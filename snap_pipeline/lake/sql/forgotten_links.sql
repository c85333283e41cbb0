-- The links of an hour without those of a forgotten person. Reads `links`; takes the digests.
select *
from links
where
    not coalesce(
        list_has_any(
            list_concat(
                coalesce(string_split(em, ','), []),
                coalesce(string_split(ph, ','), []),
                [sha256('user ' || person), sha256('anonymous ' || anonymous_id)]
            ),
            $digests::varchar[]
        ),
        false
    )

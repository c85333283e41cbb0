-- The payloads of a pruned hour, marked where they belong to a forgotten person. Its events are gone, so the hashed
-- identifiers of the payload decide. Reads `payloads`; takes the person's digests.
select
    *,
    coalesce(
        list_has_any(
            list_concat(
                coalesce(em, []),
                coalesce(ph, []),
                coalesce(list_transform(external_id, lambda id: sha256('user ' || id)), [])
            ),
            $digests::varchar[]
        ),
        false
    ) as is_forgotten
from payloads

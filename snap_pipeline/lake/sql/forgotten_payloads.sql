-- Which conversions of an hour whose events were pruned are a forgotten person's, recognized by what goes out of them.
-- Reads `payloads`; takes the digests.
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

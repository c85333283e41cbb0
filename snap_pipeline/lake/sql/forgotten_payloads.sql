-- The payloads of a pruned hour that belong to a forgotten person. Its events are gone, so that the payload's hashed
-- identifiers and the number of its person or device decide. Reads `payloads` (with file_row_number); takes the
-- person's digests, and the numbers of the person and of devices that nobody else used.
select
    file_row_number,
    workspace,
    event_id,
    event_name,
    event_time
from payloads
where
    list_contains($numbers::ubigint[], subject_number)
    or list_has_any(
        list_concat(
            coalesce(em, []),
            coalesce(ph, []),
            -- An id that was an e-mail address or a phone number is stored as its hash.
            coalesce(external_id, []),
            coalesce(list_transform(external_id, lambda id: sha256('user ' || id)), [])
        ),
        $digests::varchar[]
    )

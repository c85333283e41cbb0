-- The hours in which a person's e-mail address or phone number was attached to a conversion, be it another's. Reads
-- `payloads` (with hour); takes the digests.
select distinct hour
from payloads
where list_has_any(list_concat(coalesce(em, []), coalesce(ph, [])), $digests::varchar[])

-- The hours in which a conversion carries a person's e-mail address or phone number, even if it is another person's.
-- Reads `payloads` (with hour); takes the person's digests.
select distinct hour
from payloads
where list_has_any(list_concat(coalesce(em, []), coalesce(ph, [])), $digests::varchar[])

-- An hour's links without those of a forgotten person. Reads `links`; takes the person's digests.
select *
from links
where not list_has_any(link_digests(anonymous_id, person, external_id, em, ph), $digests::varchar[])

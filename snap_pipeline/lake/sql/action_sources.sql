-- The conversion type that each word means, null where it says nothing of it, and the field to which the word is
-- limited, null for all. A row of the home overrides the seeds'. Reads `action_sources_rows`.
with folded_rows as (
    select
        folded_name(word) as word,
        upper(null_if_blank(conversion_type)) as conversion_type,
        lower(null_if_blank(field)) as field,
        origin
    from action_sources_rows
)

select
    word,
    unnest(arg_max({ 'conversion_type': conversion_type, 'field': field }, origin = 'home'))
from folded_rows
where word is not null
group by word

-- The digests of the value that an erasure request names. Takes `kind`, `value` and the workspaces' calling codes; no
-- row if the value is not of its kind, or stands for nobody.
with recognized as (
    select
        real_id($value, placeholders_among($value)) as id,
        case $kind
            when 'email' then [hashed_email($value)]
            when 'phone'
                then list_concat(
                    list_transform($calling_codes::varchar[], lambda code: hashed_phone($value, nullif(code, ''))),
                    list_transform(
                        list_filter(
                            phone_tails($value, $calling_codes::varchar[]), lambda tail: strlen(tail) > 6
                        ),
                        lambda tail: sha256('phone ' || tail)
                    )
                )
            when 'user_id'
                then
                    [
                        sha256('user ' || id),
                        case when contains($value, '@') then hashed_email($value) end
                    ]
            when 'anonymous_id' then [sha256('anonymous ' || id)]
        end as digests
),

listed as (
    select unnest(digests) as digest
    from recognized
)

select digest
from listed
where digest is not null

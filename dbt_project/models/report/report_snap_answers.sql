-- The outcome of the newest request for Snap's own scores, of each pixel and app.
with newest_answers as (
    select *
    from {{ ref("stg_snap_score_answers") }}
    qualify row_number() over (partition by destination_id, asset order by hour desc) = 1
),

understood as (
    select distinct
        destination_id,
        asset,
        day
    from {{ ref("stg_snap_scores") }}
)

select
    answers.workspace,
    answers.destination_id,
    answers.destination_name as destination,
    answers.asset,
    answers.asked_at,
    answers.http_status,
    understood.day is not null as has_scores,
    case
        when answers.http_status = 200 and understood.day is null
            then 'Snap''s answer is kept in snap_score_answers, but not understood: no event in it has a score.'
        else answers.message
    end as message
from newest_answers as answers
left join understood
    on
        answers.destination_id = understood.destination_id
        and answers.asset = understood.asset
        and answers.hour[:10] = understood.day::varchar
order by answers.workspace, destination, answers.asset

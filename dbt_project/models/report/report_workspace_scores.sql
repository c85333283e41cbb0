-- One score for each workspace: the mean over its conversions, beside the shares that carry click id and e-mail.
select
    workspace,
    sum(score * events) / sum(events) as score,
    sum(click_id * events) / sum(events) filter (where click_id is not null) as click_id,
    sum(email * events) / sum(events) filter (where email is not null) as email
from {{ ref("emq_scores") }}
group by workspace
order by workspace

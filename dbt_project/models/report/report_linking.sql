-- What linking the events of a person adds: the week's purchases that carry an identifier by themselves, and with what
-- other events of the same person made known.
select
    parameter,
    sum(present - linked) / sum(events) as on_the_event,
    sum(present) / sum(events) as after_linking
from {{ ref("stg_parameter_completeness") }}
where
    hour >= {{ hour_key(168) }}
    and event_name = 'PURCHASE'
    and parameter in ('sc_click_id', 'em', 'ph')
group by parameter
order by parameter

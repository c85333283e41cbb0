{#
    A score from 0 to 10 over an event's parameters of one group: each counts with its weight and with how much of its
    target it reaches, at most all of it. Null where the group has no parameter, or the completeness is unknown (DuckDB's
    `least` passes over a null, so it has to be left out before).
#}
{% macro weighted_score(completeness, score_group) -%}
    10 * sum(weight * least({{ completeness }} / target, 1))
        filter (where score_group = '{{ score_group }}' and {{ completeness }} is not null)
    / sum(weight) filter (where score_group = '{{ score_group }}')
{%- endmacro %}

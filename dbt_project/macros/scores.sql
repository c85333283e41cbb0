{#
    A score from 0 to 10 over an event's parameters of one group: the weighted share of their targets that is reached,
    at most all of each. Null where the group has no parameter or the completeness is unknown. DuckDB's `least` ignores a
    null, so the filter leaves nulls out.
#}
{% macro weighted_score(completeness, score_group) -%}
    10 * sum(weight * least({{ completeness }} / target, 1))
        filter (where score_group = '{{ score_group }}' and {{ completeness }} is not null)
    / sum(weight) filter (where score_group = '{{ score_group }}')
{%- endmacro %}

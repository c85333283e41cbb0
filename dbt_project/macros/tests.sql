{# Fails where a combination of values in the columns occurs more than once. #}
{% test no_duplicates(model, columns) %}
select {{ columns | join(", ") }}
from {{ model }}
group by all
having count(*) > 1
{% endtest %}


{# Fails where a number is below `lowest` or above `highest`. Null passes. #}
{% test between(model, column_name, lowest, highest) %}
select *
from {{ model }}
where {{ column_name }} not between {{ lowest }} and {{ highest }}
{% endtest %}


{# Fails where names differ only in case, blanks, hyphens or underscores, which the pipeline ignores. #}
{% test no_folded_duplicates(model, columns) %}
select {% for column in columns -%}
    regexp_replace(lower({{ column }}), '[ _-]', '', 'g') as {{ column }}{{ ", " if not loop.last }}
{%- endfor %}
from {{ model }}
group by all
having count(*) > 1
{% endtest %}

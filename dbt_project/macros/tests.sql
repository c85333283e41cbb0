{# Fails with the rows whose values in the columns, taken together, are not unique. #}
{% test no_duplicates(model, columns) %}
select {{ columns | join(", ") }}
from {{ model }}
group by all
having count(*) > 1
{% endtest %}


{# Fails with the rows whose number is not between the two, both included. Null passes. #}
{% test between(model, column_name, lowest, highest) %}
select *
from {{ model }}
where {{ column_name }} not between {{ lowest }} and {{ highest }}
{% endtest %}


{# Fails with the names that the pipeline cannot tell apart: it ignores case, blanks, hyphens and underscores. #}
{% test no_folded_duplicates(model, columns) %}
select {% for column in columns -%}
    regexp_replace(lower({{ column }}), '[ _-]', '', 'g') as {{ column }}{{ ", " if not loop.last }}
{%- endfor %}
from {{ model }}
group by all
having count(*) > 1
{% endtest %}

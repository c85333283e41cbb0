{# The folder of the lake, which the pipeline passes in SNAP_PIPELINE_LAKE. #}
{% macro lake_folder() -%}
    {{ env_var("SNAP_PIPELINE_LAKE", "../data/lake") }}
{%- endmacro %}


{#
    The running hour by the data's clock: SNAP_PIPELINE_NOW where it is set (ISO 8601; UTC where it names no offset),
    else the start of this build, so that all of its models agree.
#}
{% macro running_hour() %}
    {%- set fixed = env_var("SNAP_PIPELINE_NOW", "") -%}
    {%- if fixed -%}
        {%- set now = modules.datetime.datetime.fromisoformat(fixed) -%}
        {%- set now = now if now.tzinfo else now.replace(tzinfo=modules.pytz.utc) -%}
    {%- else -%}
        {%- set now = run_started_at -%}
    {%- endif -%}
    {% do return(now.astimezone(modules.pytz.utc).replace(minute=0, second=0, microsecond=0)) %}
{% endmacro %}


{# The end of the last closed hour, which is the start of the running one, as a timestamp in UTC. #}
{% macro window_end() -%}
    '{{ running_hour().strftime("%Y-%m-%d %H:%M:%S") }}'::timestamp
{%- endmacro %}


{# The key of the hour so many hours before the running one; 0 is the running hour itself. #}
{% macro hour_key(hours_before) -%}
    '{{ (running_hour() - modules.datetime.timedelta(hours=hours_before)).strftime("%Y-%m-%dT%H") }}'
{%- endmacro %}


{#
    An hourly table of the lake, limited to the months of the last `hours` hours. DuckDB opens every file that a pattern
    matches before it applies a filter; without this limit a build would open all files of the lake.
#}
{% macro recent(table, hours) -%}
    {%- if not execute %}{{ return(table) }}{% endif -%}
    {%- set months = [] -%}
    {%- for hours_before in range(0, hours + 24, 24) -%}
        {%- do months.append((running_hour() - modules.datetime.timedelta(hours=hours_before)).strftime("%Y-%m")) -%}
    {%- endfor -%}
    {%- set pattern = modules.re.search("'([^']|'')*/hour=([^']|'')*'", table | string).group() -%}
    {%- set patterns = [] -%}
    {%- for month in months | unique -%}
        {%- do patterns.append(pattern | replace("hour=*", "hour=" ~ month ~ "-*")) -%}
    {%- endfor -%}
    {{ table | string | replace(pattern, "[" ~ patterns | join(", ") ~ "]") }}
{%- endmacro %}

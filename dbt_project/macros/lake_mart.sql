{#
    A mart: a table in memory for the models and tests of this build, and a Parquet file at <lake>/<mart>/data.parquet
    for all other readers. The file is replaced atomically, and an empty mart is a file without rows that has all
    columns. Concurrent builds do not collide: the name of each draft has the id of its invocation.
#}
{% materialization lake_mart, adapter="duckdb" %}
    {%- set mart = this.incorporate(type="table") -%}
    {%- set draft = lake_folder() ~ "/." ~ mart.identifier ~ "." ~ invocation_id ~ ".tmp" -%}

    {{ run_hooks(pre_hooks) }}

    {% call statement("main") -%}
        {{ create_table_as(False, mart, compiled_code) }}
    {%- endcall %}

    {% call statement("write_draft") -%}
        copy {{ mart }} to '{{ draft | replace("'", "''") }}' (format parquet, compression zstd)
    {%- endcall %}

    {% do adapter.store_relation("lake_marts", mart, [], draft, "parquet", config) %}

    {{ run_hooks(post_hooks) }}

    {% do adapter.commit() %}
    {{ return({"relations": [mart]}) }}
{% endmaterialization %}

-- JSON that client libraries write in several shapes. Needs normalize.sql and blanks.sql.

-- An object, or an object written as JSON text (a JSONB column) without its blank texts; null for anything else.
create or replace macro object_of(value) as case json_type(value)
    when 'OBJECT' then value
    when 'VARCHAR'
        then list_filter(
            [try_cast(without_blank_texts(value ->> '$') as json)], lambda object: json_type(object) = 'OBJECT'
        )[1]
end;

create or replace macro is_affirmed(text) as lower(trim(text)) in ('true', '1', 'yes');

-- The list, or null if it is empty; unlike nullif(), computes its argument once.
create or replace macro null_if_empty_list(items) as list_filter([items], lambda given: len(given) > 0)[1];

-- The texts of a plain value or of a list of plain values, without blank ones; null if none remains.
create or replace macro texts_of(value) as case json_type(value)
    when 'ARRAY'
        then nullif(list_filter(from_json(value, '["VARCHAR"]'), lambda text: null_if_blank(text) is not null), [])
    when 'OBJECT' then null
    else case when null_if_blank(value ->> '$') is not null then [value ->> '$'] end
end;

-- As texts_of(), also from a list that is written as JSON text, or by PHP as an object with numbers for keys.
create or replace macro texts_listed(value) as list_transform(
    [
        case json_type(value)
            when 'OBJECT' then to_json(json_extract(value, '$.*'))
            when 'VARCHAR' then if(contains(value, '['), coalesce(try_cast(value ->> '$' as json), value), value)
            else value
        end
    ],
    lambda listed: texts_of(listed)
)[1];

-- Each value once, in order of first occurrence, or null if there is none; list_distinct() keeps no order. The list is
-- bound to a name, because DuckDB computes an expression that a lambda captures anew for every item.
create or replace macro in_order_once(items) as list_transform( -- noqa: PRS
    [items],
    lambda named: case
        when len(named) > 0 then list_filter(named, lambda item, place: list_position(named, item) = place)
    end
)[1];

-- Whether an object is the body of a request, with a list of events under `batch` or `events`, and no event itself.
-- Every landed line is asked; `case`, unlike `and`, parses only lines in which one of the keys is found. A text is found
-- by its first letter, so that one which begins with a quote or an `e` would cost ten times as much.
create or replace macro is_body_of_events(line) as case
    when contains(line, 'batch"') or contains(line, 'vents"')
        then
            coalesce(json_array_length(line, '$.batch'), 0) + coalesce(json_array_length(line, '$.events'), 0) > 0
            and coalesce(line ->> 'event_name', line ->> 'event', line ->> 'name', line ->> 'type') is null
    else false
end;

-- The name of a key in either spelling: userId and user_id.
create or replace macro folded_key(name) as lower(replace(name, '_', ''));

-- The keys of an event's time, folded.
create or replace macro time_keys() as ['timestamp', 'eventtimestamp', 'originaltimestamp', 'sentat'];

-- An object with these keys, all null: as a patch, it removes them.
create or replace macro object_of_nulls(keys) as
('{' || array_to_string(list_transform(keys, lambda key: to_json(key)::varchar || ':null'), ',') || '}')::json;

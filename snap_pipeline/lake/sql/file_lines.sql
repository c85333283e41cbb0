-- What one file holds, in order: each JSON document, and each line that is none, with the number of the line that it
-- begins in. Lists, and bodies that hold a list of events, are taken apart. Reads `numbered_lines` (copy_line, line) of
-- the clean copy, `split_lines` (copy_line, part, line), the documents of lines with several, and `document_lines`
-- (copy_line, line_number), the line numbers of a file whose documents are not one a line.
with documents as (
    select
        copy_line,
        0 as part,
        line
    from numbered_lines
    where copy_line not in (select copy_line from split_lines)
    union all
    from split_lines
),

parsed as (
    select
        *,
        try_cast(line as json) as document
    from documents
),

typed as (
    select
        *,
        json_type(document) as kind,
        json_type(document) = 'ARRAY' and json_array_length(document) > 0 as is_list
    from parsed
),

list_items as (
    select
        copy_line,
        part,
        unnest(json_extract(document, '$[*]')) as document,
        unnest(range(json_array_length(document)::bigint)) as item
    from typed
    where is_list
),

items as (
    select
        copy_line,
        part,
        0 as item,
        line,
        document,
        kind
    from typed
    where is_list is not true
    union all
    select
        copy_line,
        part,
        item,
        document::varchar as line,
        document,
        json_type(document) as kind
    from list_items
),

bodies as (
    select
        *,
        list_concat(json_extract(document, '$.batch[*]'), json_extract(document, '$.events[*]')) as events
    from items
    where kind = 'OBJECT' and is_body_of_events(document)
),

body_events as (
    select
        copy_line,
        part,
        item,
        document as body,
        json_keys(document) as body_keys,
        unnest(events) as document,
        unnest(range(len(events))) as event
    from bodies
),

keyed_events as (
    select
        *,
        json_keys(document) as keys,
        list_transform(json_keys(document), lambda key: folded_key(key)) as folded_keys
    from body_events
),

-- What a body says of all its events, unless an event says it itself, in either spelling. An event's id is its own.
completed_events as (
    select
        copy_line,
        part,
        item,
        event,
        case
            when json_type(document) = 'OBJECT'
                then json_merge_patch(
                    json_merge_patch(
                        body,
                        object_of_nulls(list_filter(
                            body_keys,
                            lambda key: folded_key(key) in ('batch', 'events', 'eventid', 'messageid')
                            or (folded_key(key) in time_keys() and list_has_any(folded_keys, time_keys()))
                            or (list_contains(folded_keys, folded_key(key)) and not list_contains(keys, key))
                        ))
                    ),
                    document
                )
            else document
        end as document
    from keyed_events
),

found as (
    select
        copy_line,
        part,
        item,
        0 as event,
        line,
        coalesce(kind = 'OBJECT', false) as is_object
    from items
    where not coalesce(kind = 'OBJECT' and is_body_of_events(document), false)
    union all
    select
        copy_line,
        part,
        item,
        event,
        document::varchar as line,
        json_type(document) = 'OBJECT' as is_object
    from completed_events
)

select
    coalesce(document_lines.line_number, found.copy_line) as line_number,
    row_number() over (order by found.copy_line, found.part, found.item, found.event) as position,
    found.line,
    found.is_object
from found
left join document_lines using (copy_line)

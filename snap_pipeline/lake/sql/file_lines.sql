-- The lines of one file with their numbers, blank ones left out. Reads `read_lines` (position, line), the lines
-- that could be read, and `reject_errors`, the numbers of those that could not: the n-th line that could be read
-- stands as many lines further down as lines were refused before it.
with refused as (
    select
        line - row_number() over (order by line) as readable_before,
        row_number() over (order by line) as refused
    from (select distinct line from reject_errors)
),

refused_before as (
    select
        readable_before,
        max(refused) as refused
    from refused
    group by readable_before
)

select
    read_lines.position + coalesce(refused_before.refused, 0) as line_number,
    read_lines.line,
    coalesce(json_type(try_cast(read_lines.line as json)) = 'OBJECT', false) as is_object
from read_lines
asof left join refused_before on read_lines.position > refused_before.readable_before
where regexp_matches(read_lines.line, '[^ \t\r\n]')

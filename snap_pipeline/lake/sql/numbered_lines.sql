-- The lines of one file's clean copy with their line numbers, without blank lines. Reads `read_lines` (position, line),
-- the lines that DuckDB accepted, and `reject_errors`, the numbers of those that it rejected. An accepted line's number
-- is its position plus the number of rejected lines before it.
with rejected as (
    select
        line - row_number() over (order by line) as readable_before,
        row_number() over (order by line) as rejected
    from (select distinct line from reject_errors)
),

rejected_before as (
    select
        readable_before,
        max(rejected) as rejected
    from rejected
    group by readable_before
)

select
    read_lines.position + coalesce(rejected_before.rejected, 0) as copy_line,
    read_lines.line
from read_lines
asof left join rejected_before on read_lines.position > rejected_before.readable_before
where regexp_matches(read_lines.line, '[^ \t\r\n]')

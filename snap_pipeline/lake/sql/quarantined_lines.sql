-- Lines to quarantine: those of `file_lines` that are not a JSON object, and those that DuckDB rejected
-- (`reject_errors`), by line number. `document_lines` has line numbers where documents are not one a line.
select
    $workspace as workspace,
    $source_file as source_file,
    line_number,
    case when json_valid(line) then 'not_an_object' else 'malformed_json' end as reason
from file_lines
where not is_object
union all
select
    $workspace as workspace,
    $source_file as source_file,
    coalesce(any_value(document_lines.line_number), reject_errors.line) as line_number,
    min(
        case error_type
            when 'INVALID ENCODING' then 'not_utf8'
            when 'LINE SIZE OVER MAXIMUM' then 'line_too_long'
            else 'unreadable'
        end
    ) as reason
from reject_errors
left join document_lines on reject_errors.line = document_lines.copy_line
group by reject_errors.line

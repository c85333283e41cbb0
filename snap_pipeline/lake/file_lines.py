"""The events of one file as a table, with line numbers, whichever way its JSON is laid out."""

from pathlib import Path

import duckdb

from snap_pipeline.lake.json_documents import rewrite_by_document, split_documents
from snap_pipeline.lake.sql_files import sql
from snap_pipeline.lake.storage import literal
from snap_pipeline.lake.text_files import MAXIMUM_LINE_BYTES, as_pattern

FIELD_SEPARATOR = "\x01"
"""Delimiter for the CSV reader, which requires one. It splits no line, since clean copies do not hold it."""
LINES_AT_ONCE = 1_000


def load_file_lines(connection: duckdb.DuckDBPyConnection, copy: Path) -> None:
    """Create the tables `file_lines` and `reject_errors` of a clean copy, see `sql/file_lines.sql`.

    Args:
        connection: gets the tables, with macros; those of an earlier file are replaced.
        copy: written by `write_clean_copy`; it is rewritten where its documents are not one a line.

    Raises:
        LakeError: the copy cannot be rewritten.
    """
    numbers = rewrite_by_document(copy, MAXIMUM_LINE_BYTES)
    connection.execute(
        f"""
        drop table if exists reject_errors;
        drop table if exists reject_scans;
        create or replace temp table read_lines as
        select row_number() over () as position, line
        from read_csv(
            {literal(as_pattern(copy.absolute()))}, columns = {{'line': 'VARCHAR'}}, auto_detect = false,
            header = false, delim = '{FIELD_SEPARATOR}', quote = '', escape = '', strict_mode = false,
            new_line = '\\n', max_line_size = {MAXIMUM_LINE_BYTES}, store_rejects = true
        );
        create or replace temp table document_lines (copy_line bigint, line_number bigint);
        create or replace temp table numbered_lines as {sql("numbered_lines")};
        create or replace temp table split_lines (copy_line bigint, part bigint, line varchar);
        """
    )
    if numbers is not None:
        connection.execute(
            "insert into document_lines select generate_subscripts(numbers, 1), unnest(numbers) "
            "from (select ?::bigint[] as numbers)",
            [numbers],
        )
    _split_lines(connection)
    connection.execute(f"create or replace temp table file_lines as {sql('file_lines')}")


def _split_lines(connection: duckdb.DuckDBPyConnection) -> None:
    """Fill `split_lines` with the documents of lines that hold several."""
    connection.execute(
        r"""
        create or replace temp table unsplit_lines as
        select copy_line, line from numbered_lines
        where not json_valid(line) and regexp_matches(line, '^\W*[{\[]')
        """
    )
    last = 0
    while lines := connection.execute(
        f"from unsplit_lines where copy_line > {last} order by copy_line limit {LINES_AT_ONCE}"
    ).fetchall():
        last = lines[-1][0]
        parts = [
            (number, part, document)
            for number, line in lines
            for part, document in enumerate(split_documents(line) or ())
        ]
        if parts:
            connection.execute(
                "insert into split_lines select unnest($1), unnest($2), unnest($3)",
                [list(column) for column in zip(*parts, strict=True)],
            )

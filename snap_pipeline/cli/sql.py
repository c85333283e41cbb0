"""`sql`: a DuckDB session on the lake, with a view on every table and mart."""

import csv
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from itertools import pairwise

import click
import duckdb

from snap_pipeline.cli.options import open_pipeline
from snap_pipeline.delivery.ledger import retry_during_compaction
from snap_pipeline.errors import PipelineError
from snap_pipeline.lake.storage import Storage, literal
from snap_pipeline.lake.views import LakeViews

ALLOWED_STATEMENTS = {
    *("SELECT", "EXPLAIN", "MULTI", "PREPARE", "EXECUTE", "SET", "TRANSACTION"),
    *("CREATE", "INSERT", "UPDATE", "DELETE", "MERGE_INTO", "ALTER", "DROP"),
}
"""DuckDB's names of the statements that read the lake or change only the connection's memory."""
SQL_EVALUATING_FUNCTIONS = {"query", "json_execute_serialized_sql"}
"""Functions that run a text as SQL, in which a COPY cannot be detected."""
MAX_ROWS = 200
"""The most rows of a table: DuckDB shows the first and the last ones, --csv writes all."""
UNLIMITED_WIDTH = 100_000
"""The width of a table that goes into a file or a pipe."""


class QueryError(PipelineError):
    """A query that DuckDB cannot run, with DuckDB's message."""


class NotAllowed(QueryError):
    """A query that would write a file, or read one outside the lake."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"{reason}\n`sql` reads the lake and nothing else on this host, and writes no files. You can create "
            "temporary tables and views; to write results into a file, use --csv and `>`."
        )


class Session:
    """A session that runs queries on a lake and prints their results.

    Args:
        connection: in memory, and restricted by `restrict_to_lake`; objects that a query creates end with it.
        storage: of the lake.
        views: of the lake, on that connection.
        as_csv: print CSV instead of tables.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, storage: Storage, views: LakeViews, *, as_csv: bool
    ) -> None:
        self._connection, self._storage = connection, storage
        self._views = views
        self._as_csv = as_csv

    def run(self, text: str) -> None:
        """Run one query, or several separated by `;`.

        Raises:
            QueryError: a query cannot be run; the queries before it were run.
            DamagedPartition: a file that a query reads is damaged.
        """
        try:
            for statement in self._connection.extract_statements(text):
                retry_during_compaction(partial(self._run, statement))
        except duckdb.PermissionException as error:
            raise NotAllowed(str(error)) from None
        except duckdb.CatalogException as error:
            raise QueryError(
                f"{error}\nThe lake has views on: {', '.join(self._views.names) or 'nothing yet'}."
            ) from None
        except duckdb.Error as error:
            raise self._storage.damaged(str(error)) or QueryError(str(error)) from None

    def _run(self, statement: duckdb.Statement) -> None:
        _reject_writes(statement)
        self._views.prepare(statement.query)
        relation = self._connection.sql(statement.query)
        if relation is None or duckdb.ExpectedResultType.QUERY_RESULT not in statement.expected_result_type:
            return
        if statement.type == duckdb.StatementType.EXPLAIN:
            click.echo("\n".join(plan for _, plan in relation.fetchall()))
        elif self._as_csv:
            rows = relation.fetchall()
            csv.writer(sys.stdout).writerows([relation.columns, *rows])
        else:
            width = shutil.get_terminal_size().columns if sys.stdout.isatty() else UNLIMITED_WIDTH
            relation.show(max_width=width, max_rows=MAX_ROWS)


def restrict_to_lake(storage: Storage, connection: duckdb.DuckDBPyConnection) -> None:
    """Restrict a connection permanently to the files of the lake, and lock its settings."""
    connection.execute(
        f"""
        set allowed_directories = [{literal(f"{storage.location}/")}];
        set allow_persistent_secrets = false;
        set python_enable_replacements = false;
        set enable_external_access = false;
        set lock_configuration = true;
        """
    )


def _reject_writes(statement: duckdb.Statement) -> None:
    """Reject statements that may write a file, which DuckDB allows in folders that it may read.

    COPY is a keyword at any position, also within EXPLAIN ANALYZE, PREPARE and WITH.

    Raises:
        NotAllowed: the statement is not on the list, or contains COPY or a function that runs SQL.
    """
    try:
        kind = statement.type.name
    except ValueError:  # DuckDB's Python package has no name for it
        kind = "Such"
    if kind not in ALLOWED_STATEMENTS:
        raise NotAllowed(f"{kind} statements are not run.")
    for (word, token), (following, _) in pairwise([*_tokens(statement.query), ("", None)]):
        if token == duckdb.token_type.keyword and word == "copy":
            raise NotAllowed('A query with COPY is not run; write "copy", with the quotes, where it is a name.')
        if following.startswith("(") and word.strip('"') in SQL_EVALUATING_FUNCTIONS:
            raise NotAllowed(f"A query with the function {word} is not run.")


def _tokens(query: str) -> Iterator[tuple[str, duckdb.token_type]]:
    """Yield the tokens of a query with their types, in lower case and without comments, from DuckDB's tokenizer."""
    text, tokens = query.encode(), duckdb.tokenize(query)
    ends = [*(start for start, _ in tokens[1:]), len(text)]  # in bytes
    for (start, token), end in zip(tokens, ends, strict=True):
        if token != duckdb.token_type.comment:
            yield text[start:end].decode().strip().lower(), token


@click.command()
@click.argument("query", required=False)
@click.option("--csv", "as_csv", is_flag=True, help="Print all rows, as CSV.")
def sql(query: str | None, *, as_csv: bool) -> None:
    """Query the lake with DuckDB SQL: every table and mart is a view, with hour and destination as columns.

    Without QUERY, it opens a prompt, or reads queries from standard input if that is not a terminal. Queries read the
    lake and no other file of this host, and write none. Raw events hold plaintext e-mail addresses and phone numbers.
    """
    lake = open_pipeline().lake
    with lake.connect() as connection:
        views = LakeViews(connection, lake.storage)
        restrict_to_lake(lake.storage, connection)
        session = Session(connection, lake.storage, views, as_csv=as_csv)
        if query is not None:
            session.run(query)
        elif sys.stdin.isatty():
            run_prompt(session)
        else:
            session.run(sys.stdin.read())


def run_prompt(session: Session) -> None:
    """Run queries from a prompt until the user leaves it; a failed query does not end it."""
    click.echo("Queries end with a semicolon; `show tables;` lists the views. Leave with Ctrl-D.")
    for query in read_queries():
        try:
            session.run(query)
        except PipelineError as error:
            click.echo(f"Error: {error}", err=True)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)


def read_queries() -> Iterator[str]:
    """Yield typed queries, which may span lines, with history and editing; Ctrl-C discards the current one."""
    import readline  # noqa: F401, PLC0415 - gives `input` its history

    lines: list[str] = []
    while True:
        try:
            lines.append(input("...> " if lines else "sql> "))
        except KeyboardInterrupt:
            click.echo()
            lines.clear()
        except EOFError:
            click.echo()
            return
        if lines and lines[-1].rstrip().endswith(";"):
            yield "\n".join(lines)
            lines.clear()

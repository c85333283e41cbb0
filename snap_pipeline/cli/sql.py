"""`sql`: DuckDB on the lake, with a view on every table and mart."""

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

RUN = {
    *("SELECT", "EXPLAIN", "MULTI", "PREPARE", "EXECUTE", "SET", "TRANSACTION"),
    *("CREATE", "INSERT", "UPDATE", "DELETE", "MERGE_INTO", "ALTER", "DROP"),
}
"""Kinds of statements, as DuckDB names them, that read the lake or change what the connection holds in memory."""
EVALUATORS = {"query", "json_execute_serialized_sql"}
"""Functions that run a text as SQL, in which a COPY cannot be seen."""
ROWS_SHOWN = 200
"""Of a larger result DuckDB shows the first and the last; --csv writes all."""
UNLIMITED_WIDTH = 100_000
"""Of a table that goes into a file or a pipe."""


class QueryError(PipelineError):
    """DuckDB cannot run the query; the message is its own."""


class NotAllowed(QueryError):
    """The query would write a file, or read one outside the lake."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"{reason}\n`sql` reads the lake and nothing else on this host, and writes no files. Temporary tables and "
            "views can be made; results are written with --csv and `>`."
        )


class Session:
    """Runs queries on a lake and prints what they give.

    Args:
        connection: in memory, and locked (`lock_into`); what a query creates ends with it.
        storage: of the lake.
        views: of the lake, on that connection.
        as_csv: print CSV in place of tables.
    """

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, storage: Storage, views: LakeViews, *, as_csv: bool
    ) -> None:
        self._connection, self._storage = connection, storage
        self._views = views
        self._as_csv = as_csv

    def run(self, text: str) -> None:
        """Runs one query or several, `;` between them.

        Raises:
            QueryError: one of them cannot be run; those before it were.
            DamagedPartition: a file that it reads is damaged.
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
        _refuse_writing(statement)
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
            relation.show(max_width=width, max_rows=ROWS_SHOWN)


def lock_into(storage: Storage, connection: duckdb.DuckDBPyConnection) -> None:
    """Take from a connection, for good, every file and address outside the lake, and every setting."""
    connection.execute(
        f"""
        set allowed_directories = [{literal(f"{storage.location}/")}];
        set allow_persistent_secrets = false;
        set python_enable_replacements = false;
        set enable_external_access = false;
        set lock_configuration = true;
        """
    )


def _refuse_writing(statement: duckdb.Statement) -> None:
    """Raise NotAllowed where a statement may write a file: DuckDB lets it, in folders from which it may read.

    COPY is a keyword wherever it stands, also within EXPLAIN ANALYZE, PREPARE and WITH.
    """
    try:
        kind = statement.type.name
    except ValueError:  # one that DuckDB's Python package has no name for
        kind = "Such"
    if kind not in RUN:
        raise NotAllowed(f"{kind} statements are not run.")
    for (word, token), (following, _) in pairwise([*_tokens(statement.query), ("", None)]):
        if token == duckdb.token_type.keyword and word == "copy":
            raise NotAllowed('A query with COPY is not run; write "copy", with the quotes, where it is a name.')
        if following.startswith("(") and word.strip('"') in EVALUATORS:
            raise NotAllowed(f"A query with the function {word} is not run.")


def _tokens(query: str) -> Iterator[tuple[str, duckdb.token_type]]:
    """Lower-case words of a query with their kinds, without comments, as DuckDB's own tokenizer divides it."""
    text, tokens = query.encode(), duckdb.tokenize(query)
    ends = [*(start for start, _ in tokens[1:]), len(text)]  # in bytes
    for (start, token), end in zip(tokens, ends, strict=True):
        if token != duckdb.token_type.comment:
            yield text[start:end].decode().strip().lower(), token


@click.command()
@click.argument("query", required=False)
@click.option("--csv", "as_csv", is_flag=True, help="All rows, as CSV.")
def sql(query: str | None, *, as_csv: bool) -> None:
    """Ask the lake in DuckDB's SQL: every table and mart is a view, with its hour and destination as columns.

    Without QUERY, at a prompt; or from standard input, where that is no terminal. Queries read the lake and no other
    file of this host, and write none. Raw events hold plaintext e-mail addresses and phone numbers.
    """
    lake = open_pipeline().lake
    with lake.connect() as connection:
        views = LakeViews(connection, lake.storage)
        lock_into(lake.storage, connection)
        session = Session(connection, lake.storage, views, as_csv=as_csv)
        if query is not None:
            session.run(query)
        elif sys.stdin.isatty():
            converse(session)
        else:
            session.run(sys.stdin.read())


def converse(session: Session) -> None:
    """Runs queries from a prompt until it is left; one that fails ends nothing but itself."""
    click.echo("Queries end with a semicolon; `show tables;` lists the views. Leave with Ctrl-D.")
    for query in typed_queries():
        try:
            session.run(query)
        except PipelineError as error:
            click.echo(f"Error: {error}", err=True)
        except KeyboardInterrupt:
            click.echo("Interrupted.", err=True)


def typed_queries() -> Iterator[str]:
    """Queries as they are typed, over as many lines as it takes, with history and editing. Ctrl-C drops one."""
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

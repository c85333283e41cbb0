"""`sql`: DuckDB on the lake, with a view on every table and mart."""

import csv
import shutil
import sys
from collections.abc import Iterator
from functools import partial

import click
import duckdb

from snap_pipeline.cli.options import open_pipeline
from snap_pipeline.delivery.ledger import look_again
from snap_pipeline.errors import PipelineError
from snap_pipeline.lake.damage import damaged_partition
from snap_pipeline.lake.views import LakeViews

ROWS_SHOWN = 200
"""Of a larger result DuckDB shows the first and the last; --csv writes all."""
UNLIMITED_WIDTH = 100_000
"""Of a table that goes into a file or a pipe."""


class QueryError(PipelineError):
    """DuckDB cannot run the query; the message is its own."""


class Session:
    """Runs queries on a lake and prints what they give.

    Args:
        connection: in memory; what a query creates ends with it.
        views: of the lake, on that connection.
        as_csv: print CSV in place of tables.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, views: LakeViews, *, as_csv: bool) -> None:
        self._connection = connection
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
                look_again(partial(self._run, statement))
        except duckdb.CatalogException as error:
            raise QueryError(
                f"{error}\nThe lake has views on: {', '.join(self._views.names) or 'nothing yet'}."
            ) from None
        except duckdb.Error as error:
            raise damaged_partition(self._views.root, str(error)) or QueryError(str(error)) from None

    def _run(self, statement: duckdb.Statement) -> None:
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


@click.command()
@click.argument("query", required=False)
@click.option("--csv", "as_csv", is_flag=True, help="All rows, as CSV.")
def sql(query: str | None, *, as_csv: bool) -> None:
    """Ask the lake in DuckDB's SQL: every table and mart is a view, with its hour and destination as columns.

    Without QUERY, at a prompt; or from standard input, where that is no terminal. Views cannot change the lake.
    """
    lake = open_pipeline().lake
    with lake.connect() as connection:
        session = Session(connection, LakeViews(connection, lake.root), as_csv=as_csv)
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

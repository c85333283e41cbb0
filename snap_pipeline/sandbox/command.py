"""The `sandbox` command, of `snap-pipeline` and of `python -m snap_pipeline.sandbox`."""

import click

from snap_pipeline.errors import PipelineError
from snap_pipeline.sandbox.event_rules import Rules
from snap_pipeline.sandbox.faults import Fault
from snap_pipeline.sandbox.sandbox import DEFAULT_TOKEN, Access, SandboxOptions
from snap_pipeline.sandbox.server import DEFAULT_PORT, run
from snap_pipeline.settings import load_settings


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0: a free port.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--token",
    "tokens",
    multiple=True,
    default=[DEFAULT_TOKEN],
    show_default=True,
    help="A valid access token; repeatable.",
)
@click.option("--asset", "assets", multiple=True, type=click.UUID, help="A pixel id; repeatable.  [default: any UUID]")
@click.option(
    "--app",
    "apps",
    multiple=True,
    type=click.UUID,
    help="A Snap App ID; then only these take app events; repeatable.",
)
@click.option("--require-source-url", is_flag=True, help="Refuse WEB events without a source URL.")
@click.option("--strict-names", is_flag=True, help="Refuse event names and currencies that Snap does not list.")
@click.option("--partial-acceptance", is_flag=True, help="v3: store the valid events of a batch with an invalid one.")
@click.option("--withhold-position", is_flag=True, help="Do not say which event is invalid.")
@click.option(
    "--requests-per-second",
    type=click.FloatRange(min=0),
    default=1000,
    show_default=True,
    help="Limit of each token; 0: no limit.",
)
@click.option(
    "--partial-status", default="PARTIAL_SUCCESS", show_default=True, help="v2's status where some records fail."
)
@click.option("--stop-with-standard-input", is_flag=True, hidden=True)
def sandbox(
    port: int,
    host: str,
    tokens: tuple[str, ...],
    assets: tuple[object, ...],
    apps: tuple[object, ...],
    require_source_url: bool,
    strict_names: bool,
    partial_acceptance: bool,
    withhold_position: bool,
    requests_per_second: float,
    partial_status: str,
    stop_with_standard_input: bool,
) -> None:
    """Run a local stand-in for Snap's Conversions API servers.

    Its clock is SNAP_PIPELINE_NOW if that is set. The events that it counted are at /_sandbox/events.
    """
    options = SandboxOptions(
        access=Access(frozenset(tokens), frozenset(map(str, assets)), frozenset(map(str, apps))),
        rules=Rules(require_source_url=require_source_url, strict_names=strict_names),
        permanent_fault=Fault(
            partial_acceptance=partial_acceptance,
            withhold_position=withhold_position,
            requests_per_second=requests_per_second,
        ),
        partial_status=partial_status,
    )
    try:
        run(
            port,
            options,
            host=host,
            fixed_now=load_settings().fixed_now,
            stop_with_standard_input=stop_with_standard_input,
        )
    except PipelineError as error:
        raise click.ClickException(str(error)) from None

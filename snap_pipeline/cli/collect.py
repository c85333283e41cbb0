"""`snap-pipeline collect`: takes events over HTTP."""

import ipaddress

import click

from snap_pipeline.cli.options import open_pipeline


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65_535), default=8770, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes.")
@click.option(
    "--trusted-proxy",
    "trusted_proxies",
    multiple=True,
    metavar="CIDR",
    help="A proxy whose X-Forwarded-For is believed, such as 10.0.0.0/8; repeatable.",
)
@click.option("--path", default="/_e", show_default=True, help="The path at which a site passes requests on.")
def collect(*, host: str, port: int, workers: int, trusted_proxies: tuple[str, ...], path: str) -> None:
    """Take events of client libraries over HTTP, and land them."""
    networks = []
    for proxy in trusted_proxies:
        try:
            networks.append(str(ipaddress.ip_network(proxy, strict=False)))
        except ValueError:
            raise click.BadParameter(
                f"{proxy!r} is no address and no network such as 10.0.0.0/8.", param_hint="--trusted-proxy"
            ) from None
    if not path.startswith("/") or path.endswith("/"):
        raise click.BadParameter(f"{path!r} must begin with / and not end with it.", param_hint="--path")
    _ = open_pipeline().database  # fails here, and not in each worker
    from snap_pipeline.collector.workers import serve  # noqa: PLC0415 - uvicorn takes time to import

    serve(host=host, port=port, workers=workers, trusted_proxies=networks, path=path)

"""The command `liftwatch cloud`: runs it, or with `admin` sets it up from a shell on its server."""

import asyncio
import gc
import ipaddress
import pathlib
import socket

import click
import uvicorn
from fastapi import FastAPI

from cloud.accounts import signing_in
from cloud.accounts.admin_cli import admin
from cloud.app import create_app
from cloud.cases.limits import Rescue, RescueError, load_rescue
from cloud.keeping.cli import backup_command, restore_command, sweep_command
from cloud.keeping.retention import Retention, RetentionError, load_retention
from cloud.settings import HOUR_MS, MINUTE_MS, Settings, SettingsError, load_providers
from cloud.shell import database_option


@click.group(invoke_without_command=True)
@database_option
@click.option(
    "--host", default="127.0.0.1", help="address to listen on; other than loopback needs --public-url https://…"
)
@click.option("--port", default=8080, help="port; 0 takes a free one")
@click.option(
    "--public-url", default="", help="how browsers reach it, as https://liftwatch.example: a proxy ends TLS there"
)
@click.option("--trusted-proxy", multiple=True, help="address of that proxy, whose X-Forwarded-For is believed")
@click.option(
    "--oidc", type=click.Path(path_type=pathlib.Path), help="TOML file of OpenID providers; docs/accounts.md shows one"
)
@click.option("--idle-minutes", default=120, type=click.IntRange(5), help="a session ends when unused for so long")
@click.option("--session-hours", default=14, type=click.IntRange(1), help="and so long after its begin, used or not")
@click.option(
    "--notice-host",
    multiple=True,
    help="HOST or HOST:PORT that notices may go to though it is not public, or not https",
)
@click.option(
    "--retention",
    type=click.Path(path_type=pathlib.Path),
    help="TOML file of how long what is kept; docs/operation.md shows one",
)
@click.option(
    "--rescue",
    type=click.Path(path_type=pathlib.Path),
    help="TOML file of the limits of rescue work, stations and desks by district; docs/cases.md shows one",
)
@click.pass_context
def cloud(
    context: click.Context,
    database: str,
    host: str,
    port: int,
    public_url: str,
    trusted_proxy: tuple[str, ...],
    oidc: pathlib.Path | None,
    idle_minutes: int,
    session_hours: int,
    notice_host: tuple[str, ...],
    retention: pathlib.Path | None,
    rescue: pathlib.Path | None,
) -> None:
    """Run the cloud. The first start prints a one-time link for its administrator; there is no default password.

    \b
    Examples:
      liftwatch cloud --database sqlite+aiosqlite:///cloud.db --port 8080
      liftwatch cloud --host 10.0.0.5 --public-url https://liftwatch.example --trusted-proxy 10.0.0.4
      liftwatch cloud admin --help
    """  # noqa: D301  click's mark for text that keeps its lines
    if context.invoked_subcommand is not None:
        return
    try:
        settings = Settings(
            public_url=public_url,
            oidc=load_providers(oidc) if oidc is not None else (),
            idle_ms=idle_minutes * MINUTE_MS,
            absolute_ms=session_hours * HOUR_MS,
            notice_hosts=notice_host,
            retention=load_retention(retention) if retention is not None else Retention(),
            rescue=load_rescue(rescue) if rescue is not None else Rescue(),
        )
    except (SettingsError, RetentionError, RescueError) as error:
        raise click.ClickException(str(error)) from error
    for warning in settings.retention.warnings():
        click.echo(f"warning: {warning}", err=True)
    if not ipaddress.ip_address(host).is_loopback and not settings.https:
        raise click.ClickException(
            f"{host} is no loopback address: passwords would travel in the clear. Let a proxy end TLS, and say "
            "--public-url https://…"
        )
    listener = socket.create_server((host, port), family=_family(host), reuse_port=False)
    # Connections inherit it. asyncio sets it on sockets of its own alone; without it a small answer waits 40 ms for the other side.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    app = create_app(database, settings)
    config = uvicorn.Config(
        app, log_level="warning", timeout_graceful_shutdown=2, ws="websockets-sansio", server_header=False,
        # Without a proxy nobody's word counts for where he is.
        proxy_headers=bool(trusted_proxy), forwarded_allow_ips=list(trusted_proxy),
    )  # fmt: skip
    asyncio.run(_serve(uvicorn.Server(config), listener, app, settings))


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET


def _collect_seldom() -> None:
    """States of lifts are many small objects that come and go without cycles: by the default a third of a core looks for some (measured).

    What is there at the start stays for good and is not looked at again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


async def _serve(server: uvicorn.Server, listener: socket.socket, app: FastAPI, settings: Settings) -> None:
    task = asyncio.create_task(server.serve([listener]))
    while not server.started and not task.done():  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.02)
    if server.started:
        _collect_seldom()
        host, port = listener.getsockname()[:2]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        click.echo(f"ready {url}")
        async with app.state.sessions() as session:
            token = await signing_in.first_start(session, settings.clock(), settings.link_ms)
        if token is not None:
            hours = settings.link_ms // HOUR_MS
            place = settings.origin or url
            click.echo(
                f"first start: within {hours} h set the password of '{signing_in.FIRST_NAME}' at {place}/link/{token}"
            )
    await task


cloud.add_command(admin)
cloud.add_command(backup_command)
cloud.add_command(restore_command)
cloud.add_command(sweep_command)

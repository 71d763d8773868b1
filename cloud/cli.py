"""The command `liftwatch cloud`. Until there are accounts it serves loopback only."""

import asyncio
import ipaddress
import socket

import click
import uvicorn

from cloud.app import create_app


@click.command()
@click.option("--database", default="sqlite+aiosqlite:///liftwatch-cloud.db", help="SQLAlchemy URL")
@click.option("--host", default="127.0.0.1", help="loopback address to listen on")
@click.option("--port", default=8080, help="port; 0 takes a free one")
def cloud(database: str, host: str, port: int) -> None:
    """Run the cloud. Example: liftwatch cloud --database sqlite+aiosqlite:///cloud.db --port 8080"""
    if not ipaddress.ip_address(host).is_loopback:
        raise click.ClickException(
            f"{host} is no loopback address: there are no accounts yet, so nobody else may reach this"
        )
    listener = socket.create_server((host, port), reuse_port=False)
    config = uvicorn.Config(
        create_app(database), log_level="warning", timeout_graceful_shutdown=2, ws="websockets-sansio"
    )
    server = uvicorn.Server(config)
    asyncio.run(_serve(server, listener))


async def _serve(server: uvicorn.Server, listener: socket.socket) -> None:
    task = asyncio.create_task(server.serve([listener]))
    while not server.started and not task.done():  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.02)
    if server.started:
        host, port = listener.getsockname()[:2]
        click.echo(f"ready http://{host}:{port}")
    await task

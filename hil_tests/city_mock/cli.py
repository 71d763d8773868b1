"""The command `liftwatch city-mock`: serves until a signal."""

import asyncio
import pathlib
import signal

import click

from hil_tests.city_mock.server import CityMock


@click.command()
@click.option("--port", default=0, help="control port on loopback (GET /received, POST /behaviour); 0 takes a free one")
@click.option("--platform-port", default=0, help="port of the platform that a gateway posts to")
@click.option(
    "--keep", type=click.Path(path_type=pathlib.Path), help="file that survives us, as a platform's database does"
)
def city_mock(port: int, platform_port: int, keep: pathlib.Path | None) -> None:
    """Play a city platform. Example: liftwatch city-mock --port 8090 --platform-port 8091"""
    asyncio.run(_serve(port, platform_port, keep))


async def _serve(port: int, platform_port: int, keep: pathlib.Path | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    city = CityMock(keep=keep)
    await city.start(port, platform_port)
    click.echo(f"ready {city.url} platform {city.platform_url}")
    await stop.wait()
    await city.stop()

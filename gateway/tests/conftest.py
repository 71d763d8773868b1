"""Fixtures of the gateway's tests that need an InfluxDB."""

import pathlib
from collections.abc import Iterator

import pytest

from gateway import influx_copy
from gateway.tests.influx_rig import Source, ask
from hil_tests import services
from hil_tests.http_proxy import HttpProxy


@pytest.fixture
def quick_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(influx_copy, "RETRY_S", 0.05)
    monkeypatch.setattr(influx_copy, "IDLE_S", 0.02)


@pytest.fixture
def source(tmp_path: pathlib.Path) -> Iterator[Source]:
    source = Source(tmp_path / "log.db")
    yield source
    source.log.close()


@pytest.fixture(scope="session")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server that runs through all tests."""
    child, port = services.influxd(tmp_path_factory.mktemp("influxd"))
    child.start(lambda: services.listens(port))
    yield port
    child.stop()


@pytest.fixture
def port(influxd: int) -> int:
    """The same, with nothing of ours in it."""
    ask(influxd, "DROP DATABASE test")
    return influxd


@pytest.fixture
def proxy(port: int) -> Iterator[HttpProxy]:
    proxy = HttpProxy(port)
    yield proxy
    proxy.close()

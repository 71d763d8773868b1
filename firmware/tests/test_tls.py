"""The node's connection over TLS on the real VM: whom it trusts, whom it refuses, what it says of it, and by which clock it judges."""

import pathlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from firmware.tests.rig import Ear, Rig
from hil_tests import services
from hil_tests.authority import Authority
from hil_tests.bench.line import End
from hil_tests.services import wait_until
from hil_tests.vm import NodeVm, build_firmware, node_settings

pytestmark = pytest.mark.chain

LIFT = {"id": "lift-1", "baud": 9600, "stops": 6, "doors": 1, "rated_speed_mm_s": 1000, "floor_pitch_mm": 2900}
NAME = "broker.test"
DAY_S = 86400
CHIP_EPOCH_S = 946684800  # 2000-01-01: where a chip's clock begins


@pytest.fixture
def authority(tmp_path: pathlib.Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def plug(tmp_path: pathlib.Path) -> Iterator[Callable[..., NodeVm]]:
    """Starts nodes without a lift, each with the `broker` settings given."""
    build_firmware()
    nodes: list[tuple[NodeVm, Any]] = []

    def start(name: str, broker: dict[str, Any], *, floor_s: int = 0, **how: Any) -> NodeVm:
        ends = End(), End()
        settings = node_settings("s-1", LIFT, 1, time_floor_s=floor_s)
        settings["broker"] = {"host": "127.0.0.1", **broker}
        node = NodeVm(settings, ends[0].path, ends[1].path, tmp_path / name, **how)
        nodes.append((node, ends))
        node.start()
        return node

    yield start
    for node, _ in nodes:
        node.stop()


def said(node: NodeVm, *words: str, within_s: float = 20) -> None:
    """Wait until one line of the node's console has all the words."""
    wait_until(
        lambda: any(all(word in line for word in words) for line in node.console.read_text().splitlines()),
        within_s, f"{words} on the console of {node.console}",
    )  # fmt: skip


@pytest.fixture
def secured(tmp_path: pathlib.Path, authority: Authority) -> Iterator[Rig]:
    """A node whose broker demands a certificate of it."""
    port, own = services.free_port(), authority.sign("node")
    tls = {"ca": str(authority.ca_der), "server_name": NAME, "certificate": str(own.certificate), "key": str(own.key)}
    listener = services.tls_listener(port, authority.ca, authority.sign("broker", NAME), certified=True)
    rig = Rig(tmp_path, {"host": "127.0.0.1", "port": port, "tls": tls}, "allow_anonymous true\n" + listener)
    wait_until(lambda: bool(rig.ear.all("state")), 20, "the first state")
    yield rig
    rig.stop()


def test_over_tls_a_node_with_its_certificate_is_heard_and_receipted(secured: Rig) -> None:
    secured.press()
    wait_until(lambda: len(secured.ear.all("event")) >= 2, 10, "re-sending until a receipt")
    secured.ear.ack([["lift-1-1-1", 1, 1]])
    secured.node.kill()
    wait_until(
        lambda: any(link["boot"] == 2 and link["online"] for link in secured.ear.all("link")), 20, "the next boot"
    )
    births = [link for link in secured.ear.all("link") if link["online"]]
    for birth in births:
        assert (birth["counters"]["tls_refused"], birth["counters"]["tls_failed"]) == (0, 0)
        # As much as without TLS less 5 KB; what the library takes lies outside this heap.
        assert birth["counters"]["mem_free"] > 20_000
    assert "for a bench only" not in secured.node.console.read_text()


def test_a_broker_without_a_certificate_of_ours_is_refused_and_counted(
    tmp_path: pathlib.Path, authority: Authority, plug: Callable[..., NodeVm]
) -> None:
    ports = {name: services.free_port() for name in ("good", "old", "stranger")}
    pairs = {
        "good": authority.sign("good", NAME),
        "old": authority.sign("old", NAME, begins_days=-20, ends_days=-1),
        "stranger": Authority(tmp_path / "other", "Liftwatch test authority").sign("stranger", NAME),
    }
    more = "".join(services.tls_listener(port, authority.ca, pairs[name]) for name, port in ports.items())
    broker, plain = services.mosquitto(tmp_path, more="allow_anonymous true\n" + more)
    broker.start(lambda: services.listens(plain))
    try:
        nodes = {}
        for name, port in ports.items():
            server = "other.test" if name == "good" else NAME
            nodes[name] = plug(name, {"port": port, "tls": {"ca": str(authority.ca), "server_name": server}})
        said(nodes["good"], "warning link: the certificate of other.test was refused", "does not match")
        said(nodes["old"], "warning link: the certificate of broker.test was refused", "expired")
        said(nodes["stranger"], "warning link: the certificate of broker.test was refused", "not correctly signed")
        assert all(": up" not in node.console.read_text() and node.exits == [] for node in nodes.values())
    finally:
        broker.stop()


def test_a_refused_broker_that_gets_its_certificate_right_is_taken_and_the_refusals_are_told(
    tmp_path: pathlib.Path, authority: Authority, plug: Callable[..., NodeVm]
) -> None:
    port = services.free_port()

    def run(name: str, pair: Any) -> tuple[services.Child, int]:
        listener = services.tls_listener(port, authority.ca, pair)
        broker, plain = services.mosquitto(tmp_path / name, more="allow_anonymous true\n" + listener)
        return broker.start(lambda: services.listens(plain)), plain

    broker, _ = run("wrong", authority.sign("wrong", "other.test"))
    node = plug("node", {"port": port, "tls": {"ca": str(authority.ca), "server_name": NAME}})
    said(node, "refused")
    broker.stop()
    broker, plain = run("right", authority.sign("right", NAME))
    ear = Ear(plain)
    try:
        wait_until(lambda: any(link["online"] for link in ear.all("link")), 30, "the birth")
        assert ear.all("link")[-1]["counters"]["tls_refused"] >= 1
    finally:
        ear.stop()
        broker.stop()


def test_certificates_that_cannot_be_used_are_told_with_their_entry(
    tmp_path: pathlib.Path, authority: Authority, plug: Callable[..., NodeVm]
) -> None:
    rubbish = tmp_path / "rubbish.pem"
    rubbish.write_text("rubbish")
    own = authority.sign("node")
    ca, certificate, key = str(authority.ca), str(own.certificate), str(own.key)
    wrong: tuple[tuple[dict[str, str], tuple[str, ...]], ...] = (
        ({}, ("broker.tls.ca is missing",)),
        ({"ca": "/none.pem"}, ("broker.tls.ca: /none.pem cannot be read",)),
        ({"ca": str(rubbish)}, ("broker.tls.ca", "no certificate in PEM or DER")),
        ({"ca": ca, "certificate": certificate}, ("broker.tls.key go together",)),
        ({"ca": ca, "certificate": certificate, "key": str(rubbish)}, ("broker.tls.key: invalid key",)),
        ({"ca": ca, "certificate": str(rubbish), "key": key}, ("broker.tls.key: invalid cert",)),
    )
    for number, (tls, words) in enumerate(wrong):
        node = plug(f"node-{number}", {"tls": tls})
        said(node, "settings:", *words, within_s=10)
        assert node.exits == []


@pytest.mark.parametrize("tls", [True, False])
def test_a_broker_that_is_away_costs_no_socket_for_each_try(
    authority: Authority, plug: Callable[..., NodeVm], tls: bool
) -> None:
    broker: dict[str, Any] = {"port": services.free_port()}
    if tls:
        broker["tls"] = {"ca": str(authority.ca), "server_name": NAME}
    node = plug("node", broker)
    time.sleep(6)  # at 0, 0.5, 2 and 4 s at the earliest, 1, 3 and 7 s at the latest
    said(node, "link:")
    assert node.sockets() <= 1


@pytest.mark.parametrize(("floor_days", "taken"), [(-100, True), (400, False)])
def test_a_chip_that_lost_its_time_judges_by_the_latest_time_it_can_be_sure_of(
    tmp_path: pathlib.Path, authority: Authority, plug: Callable[..., NodeVm], floor_days: int, taken: bool
) -> None:
    port, now = services.free_port(), int(time.time())
    listener = services.tls_listener(port, authority.ca, authority.sign("broker", NAME))
    broker, plain = services.mosquitto(tmp_path, more="allow_anonymous true\n" + listener)
    broker.start(lambda: services.listens(plain))
    clock = tmp_path / "clock"
    faked = services.movable_clock(clock, CHIP_EPOCH_S - now)
    if faked is None:
        pytest.skip("needs libfaketime: install Debian's package faketime")
    env = {**faked, "CLOCK": str(clock)}
    tls = {"ca": str(authority.ca), "server_name": NAME}
    ear = Ear(plain, greets=False)
    try:
        # The library for the faked clock is of the host's kind.
        node = plug("node", {"port": port, "tls": tls}, floor_s=now + floor_days * DAY_S, arch="amd64", env=env)
        if not taken:
            said(node, "refused", "expired")
            return
        # The floor lies before the broker's certificate: its issuer's word that it is later is enough, and the first one.
        said(node, "refused", "starts in the future")
        wait_until(lambda: any(link["online"] for link in ear.all("link")), 30, "the birth")
        assert DAY_S - 60 < abs(int(clock.read_text())) < DAY_S + 60
        wait_until(lambda: bool(ear.all("state")), 10, "a state")
        ear.ack([])
        wait_until(lambda: abs(int(clock.read_text())) <= 2, 10, "the right time from the gateway's ack")
    finally:
        ear.stop()
        broker.stop()


@pytest.mark.parametrize("days", [-1, 1])
def test_a_gateway_whose_clock_was_a_day_off_shuts_no_node_out(
    tmp_path: pathlib.Path, authority: Authority, plug: Callable[..., NodeVm], days: int
) -> None:
    faked = services.movable_clock(tmp_path / "clock")
    if faked is None:
        pytest.skip("needs libfaketime: install Debian's package faketime")
    # With the time that is told, the certificate is not yet valid, or no longer.
    ends = {"begins_days": -0.5, "ends_days": 0.5}
    port = services.free_port()
    listener = services.tls_listener(port, authority.ca, authority.sign("broker", NAME, **ends))
    broker, plain = services.mosquitto(tmp_path, more="allow_anonymous true\n" + listener)
    broker.start(lambda: services.listens(plain))
    ear = Ear(plain, greets=False)
    try:
        env = {**faked, "CLOCK": str(tmp_path / "clock")}
        node = plug(
            "node", {"port": port, "tls": {"ca": str(authority.ca), "server_name": NAME}}, arch="amd64", env=env
        )
        wait_until(lambda: bool(ear.all("state")), 20, "a state")
        ear.ack([], wrong_s=days * DAY_S)
        wait_until(lambda: abs(int((tmp_path / "clock").read_text())) > DAY_S - 60, 10, "the wrong time at the node")
        births = len([link for link in ear.all("link") if link["online"]])
        broker.kill()
        broker.start(lambda: services.listens(plain))
        said(node, "refused", "future" if days < 0 else "expired")
        wait_until(lambda: len([link for link in ear.all("link") if link["online"]]) > births, 40, "its return")
    finally:
        ear.stop()
        broker.stop()

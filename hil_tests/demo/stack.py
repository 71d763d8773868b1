"""The whole chain on one machine: broker, InfluxDB, city, cloud, gateway, twins and nodes, as real processes."""

import contextlib
import json
import pathlib
import subprocess
import sys
from typing import Any

from hil_tests import services
from hil_tests.authority import Authority
from hil_tests.demo import people
from hil_tests.services import Child, StartError, get_json, post_json, wait_until
from hil_tests.vm import NodeVm, build_firmware, node_settings
from hil_tests.wires import Wires

SITE = "hefang-yuan"
GATEWAY = "demo"
# (name, stops, doors, rescue code): invented addresses, real proportions of such estates.
LIFTS = (
    ("荷芳苑 1 幢 1 单元", "西溪路 18 号 1 幢 1 单元", 6, 1, "330117"),
    ("荷芳苑 1 幢 2 单元", "西溪路 18 号 1 幢 2 单元", 6, 1, "330118"),
    ("荷芳苑 2 幢 1 单元", "西溪路 18 号 2 幢 1 单元", 7, 1, "330119"),
    ("荷芳苑 3 幢 1 单元", "西溪路 18 号 3 幢 1 单元", 5, 2, "330120"),
    ("荷芳苑 3 幢 2 单元", "西溪路 18 号 3 幢 2 单元", 5, 1, "330121"),
    ("荷芳苑 4 幢 1 单元", "西溪路 18 号 4 幢 1 单元", 4, 1, "330122"),
)
PITCH_MM = 2900
# Its south-west corner: latitude and longitude, WGS-84, in the west of Hangzhou.
ESTATE = (30.27412, 120.10853)
BROKER_NAME = "broker.hefang-yuan.test"


class Stack:
    """Start it, break its parts, stop it. `data` keeps everything it writes."""

    def __init__(
        self,
        data: pathlib.Path,
        lifts: int,
        port: int = 0,
        *,
        baud: int = 9600,
        traffic: float | list[float] = 30.0,
        influx: bool = True,
        wires: Wires | None = None,
        gateway_env: dict[str, str] | None = None,
        tls: bool = False,
        node: dict[str, Any] | None = None,
        wire_each: bool = False,
        simple: int = 0,
        health: str = "",
    ) -> None:
        """`traffic` is the factor of every lift, or one for each; `node` are settings of every node beside the lift's.

        The last `simple` lifts have no node: the twin publishes their states as a simple terminal, and the gateway detects.

        `health` are lines of the gateway's section of that name.

        With `wires`, nodes and gateway reach everything through wires that can be cut; see `_via` for their names.

        With `tls` nodes and gateway have certificates of their own, the broker takes nobody without, and keeps sessions in
        the folder broker. With `wire_each` every node has a wire of its own, named by its lift.
        """
        self.data = data
        self.logs = data / "logs"
        self._count = lifts
        self._baud = baud
        self._traffic = traffic if isinstance(traffic, list) else [traffic] * lifts
        self._node_settings = node or {}
        self._wire_each = wire_each
        self._simple = simple
        self._health = health
        self._with_influx = influx
        self._wires = wires
        self._gateway_env = gateway_env
        self._authority = Authority(data / "ca") if tls else None
        self.notes: list[str] = []  # what this stack has to do without
        self.port = port or services.free_port()
        self.nodes: dict[str, NodeVm] = {}
        self.children: dict[str, Child] = {}
        self.broker_port = self.influx_port = 0
        self.plain_port = 0  # of the same broker, where `tls` shuts the other to strangers
        self.bench_url = self.city_url = self.metrics_url = ""
        self.cloud_url = f"http://127.0.0.1:{self.port}"
        self.cloud_database = f"sqlite+aiosqlite:///{data / 'cloud.db'}"
        self.sign_in_url = ""  # lets a person in once
        self.links: dict[str, str] = {}  # the same for who is in people.PEOPLE
        self._token = ""

    # -- start and stop -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Bring everything up and wait until every lift is seen good; StartError names the part that failed."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        if services.listens(self.port):
            raise StartError(f"port {self.port} is taken; choose another with --port")
        self.data.mkdir(parents=True, exist_ok=True)
        build_firmware()
        self._start_broker()
        if self._with_influx:
            self._start_influx()
        ports = ("--port", str(services.free_port()), "--platform-port", str(services.free_port()))
        city = services.part("city-mock", self.logs, "city-mock", *ports, "--keep", str(self.data / "city.jsonl"))
        self._run("city", city)
        _, self.city_url, _, platform_url = city.ready_line.split()
        twin_port = str(services.free_port())
        config = str(self._write_bench())
        broker = ("--broker", f"127.0.0.1:{self.plain_port or self.broker_port}", "--site", SITE)
        twin = services.part(
            "twin", self.logs, "twin", "--config", config, "--port", twin_port, *broker,
            env={"LIFTWATCH_RUN": str(self.data)},
        )  # fmt: skip
        self._run("twin", twin)
        self.bench_url = twin.ready_line.split()[1]
        self._set_up_cloud()
        rescue = self.data / "rescue.toml"
        rescue.write_text(people.RESCUE)
        options = ("--database", self.cloud_database, "--port", str(self.port), "--rescue", str(rescue))
        self._run("cloud", services.part("cloud", self.logs, "cloud", *options))
        config = str(self._write_gateway(platform_url))
        gateway = services.part("gateway", self.logs, "gateway", "--config", config, env=self._gateway_env)
        self._run("gateway", gateway)
        self.metrics_url = gateway.ready_line.split()[2]
        self._start_nodes()
        self.wait_good()
        people.assign(self.lift_ids(), self.get, self._put)

    def _set_up_cloud(self) -> None:
        """Accounts without a default password: tokens for the gateway and for ourselves, and a link to sign in with once."""
        files = {name: self.data / f"{name}.secret" for name in ("gateway", "stack", "sign-in")}

        def link_of(who: str) -> pathlib.Path:
            return self.data / f"{who}.link"

        make = [
            sys.executable,
            str(services.ROOT / "liftwatch.py"),
            "cloud",
            "admin",
            "--database",
            self.cloud_database,
        ]
        make += ["gateway-token", "--file", str(files["gateway"]), GATEWAY]
        make += ["api-token", "--days", "1", "--file", str(files["stack"]), "stack", "Platform", "administrator"]
        make += ["link", "--sign-in", "--url", self.cloud_url, "--file", str(files["sign-in"]), "admin"]
        make += people.admin_steps(link_of, self.cloud_url)
        done = subprocess.run(make, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise StartError(f"the cloud could not be set up: {done.stderr.strip()}")
        self._token = files["stack"].read_text().strip()
        self.sign_in_url = files["sign-in"].read_text().strip()
        self.links = {who: link_of(who).read_text().strip() for who, *_ in people.PEOPLE}

    def _start_broker(self) -> None:
        if self._authority is None:
            broker, self.broker_port, lacks = services.broker(self.logs)
            self.notes += [lacks] if lacks else []
        else:
            self.broker_port = services.free_port()
            pair = self._authority.sign("broker", BROKER_NAME, "127.0.0.1")
            listener = services.tls_listener(self.broker_port, self._authority.ca, pair, certified=True)
            keep = self.data / "broker"
            keep.mkdir()
            broker, self.plain_port = services.mosquitto(self.logs, more="allow_anonymous true\n" + listener, keep=keep)
        self._run("broker", broker, lambda: services.listens(self.broker_port))

    def _start_influx(self) -> None:
        try:
            influx, self.influx_port = services.influxd(self.logs)
        except StartError as error:
            self._with_influx = False
            self.notes.append(f"{error}; without it the gateway's local log is the history")
            return
        # Not waited for: the gateway must live without it.
        influx.start(lambda: True)
        self.children["influx"] = influx

    def _via(self, name: str, port: int) -> int:
        """`port`, or where the wire `name` to it begins: node-broker, gateway-broker, gateway-influx, gateway-city, gateway-cloud."""
        return port if self._wires is None else self._wires.lay(name, port)

    def _start_nodes(self) -> None:
        """Plug a node into each lift of the bench; those of an earlier bench are switched off."""
        for node in self.nodes.values():
            node.stop()
        broker_port = 0 if self._wire_each else self._via("node-broker", self.broker_port)
        for lift in get_json(f"{self.bench_url}/lifts"):
            if lift["simple"]:
                continue
            directory = self.data / "nodes" / lift["id"]
            port = self._via(lift["id"], self.broker_port) if self._wire_each else broker_port
            settings = node_settings(SITE, lift, port, **self._node_settings)
            if self._authority is not None:
                own = self._authority.sign(lift["id"])
                settings["broker"]["tls"] = {
                    "ca": str(self._authority.ca_der), "server_name": BROKER_NAME,
                    "certificate": str(own.certificate), "key": str(own.key),
                }  # fmt: skip
            node = NodeVm(settings, lift["uart"], lift["gpio"], directory)
            self.nodes[lift["id"]] = node
            node.start()

    def _run(self, name: str, child: Child, ready: Any = None) -> None:
        child.start(ready)
        self.children[name] = child

    def wait_good(self, timeout_s: float = 30.0) -> float:
        """Wait until every lift is shown good; the seconds it took."""
        return wait_until(
            lambda: [lift["quality"] for lift in self.lifts()].count("good") == self._count,
            timeout_s,
            f"all {self._count} lifts seen good (logs in {self.logs})",
        )

    def stop(self) -> None:
        """Stop all children, nodes first."""
        with services.undisturbed():
            for node in self.nodes.values():
                node.stop()
            for name in ("gateway", "twin", "cloud", "city", "influx", "broker"):
                child = self.children.get(name)
                if child is not None:
                    child.stop()

    # -- configuration --------------------------------------------------------------------------------------------

    def lift_ids(self) -> list[str]:
        """Ids of the lifts: lift-1 …"""
        return [f"lift-{number + 1}" for number in range(self._count)]

    def _write_bench(self) -> pathlib.Path:
        lines = []
        for number, name in enumerate(self.lift_ids()):
            _, _, stops, doors, _ = LIFTS[number % len(LIFTS)]
            lines += [
                "[[lift]]", f'id = "{name}"', f"stops = {stops}", f"doors = {doors}", f"baud = {self._baud}",
                f"seed = {number + 1}", f"traffic_factor = {self._traffic[number]}", f"floor_pitch_mm = {PITCH_MM}",
                f"simple = {str(number >= self._count - self._simple).lower()}", "",
            ]  # fmt: skip
        path = self.data / "bench.toml"
        path.write_text("\n".join(lines))
        return path

    def _write_gateway(self, platform_url: str) -> pathlib.Path:
        platform = self._via("gateway-city", int(platform_url.rsplit(":", 1)[1]))
        lines = [
            "[gateway]", f'id = "{GATEWAY}"', f'data_dir = "{self.data / "gateway"}"', "",
            "[broker]", f"port = {self._via('gateway-broker', self.broker_port)}", "", *self._gateway_tls(),
            "[cloud]", f'url = "http://127.0.0.1:{self._via("gateway-cloud", self.port)}"',
            f'token_file = "{self.data / "gateway.secret"}"', "",
            "[[city]]", 'file = "shanghai_like.toml"', f'url = "http://127.0.0.1:{platform}"', "",
            "[metrics]", f"port = {services.free_port()}", "", "[health]", self._health, "",
        ]  # fmt: skip
        if self._with_influx:
            lines += ["[influx]", f'url = "http://127.0.0.1:{self._via("gateway-influx", self.influx_port)}"', ""]
        for number, name in enumerate(self.lift_ids()):
            title, address, stops, doors, rescue = LIFTS[number % len(LIFTS)]
            if number >= len(LIFTS):
                title = title.replace("荷芳苑", f"荷芳苑 {number // len(LIFTS) + 1} 区")
            lines += [
                "[[lift]]", f'id = "{name}"', f'site = "{SITE}"', f'name = "{title}"', f'address = "{address}"',
                f'rescue_code = "{int(rescue) + number // len(LIFTS) * 10}"', f"stops = {stops}", f"doors = {doors}",
                f"floor_pitch_mm = {PITCH_MM}", f"floor_levels_mm = {[stop * PITCH_MM for stop in range(stops)]}",
                *self._place(number), "",
            ]  # fmt: skip
        path = self.data / "gateway.toml"
        path.write_text("\n".join(lines))
        return path

    @staticmethod
    def _place(number: int) -> list[str]:
        """Beside each other as entrances of an estate are: two to a house, houses in rows of five."""
        house, entrance = divmod(number, 2)
        row, column = divmod(house, 5)
        latitude, longitude = ESTATE[0] + row * 0.0006, ESTATE[1] + column * 0.0007 + entrance * 0.0002
        return [f"latitude_deg = {latitude:.5f}", f"longitude_deg = {longitude:.5f}"]

    def _gateway_tls(self) -> list[str]:
        if self._authority is None:
            return []
        own = self._authority.sign("gateway")
        files = {"ca": self._authority.ca, "certificate": own.certificate, "key": own.key}
        return ["[broker.tls]", *(f'{name} = "{path}"' for name, path in files.items()), ""]

    # -- what tests and benches do --------------------------------------------------------------------------------

    def get(self, path: str, timeout_s: float = 5.0) -> Any:
        """GET of the cloud's API, as the platform's administrator."""
        return get_json(self.cloud_url + path, timeout_s, token=self._token)

    def _put(self, path: str, body: dict[str, Any]) -> Any:
        return services.post_json(self.cloud_url + path, body, method="PUT", token=self._token)

    def lifts(self) -> list[dict[str, Any]]:
        """GET /api/v1/lifts."""
        found: list[dict[str, Any]] = self.get("/api/v1/lifts?limit=500")
        return found

    def incidents(self, **query: Any) -> list[dict[str, Any]]:
        """GET /api/v1/incidents."""
        text = "&".join(f"{name}={value}" for name, value in {"limit": 500, **query}.items())
        found: list[dict[str, Any]] = self.get(f"/api/v1/incidents?{text}")
        return found

    def all_incidents(self) -> list[dict[str, Any]]:
        """Every incident there is, page by page."""
        out = self.incidents()
        while True:
            page = self.incidents(before_ms=out[-1]["opened_at_ms"]) if out else []
            if not page:
                return out
            out += page

    def received(self) -> list[dict[str, Any]]:
        """What the city has."""
        found: list[dict[str, Any]] = get_json(f"{self.city_url}/received")
        return found

    def behave(self, **behaviour: Any) -> None:
        """Replace the city's mood: what is not named is calm again."""
        post_json(f"{self.city_url}/behaviour", behaviour)

    def inject(self, lift: str, fault: str, *, clear: bool = False) -> int:
        """Inject or clear a fault; the bench's unix ms of it."""
        return int(
            post_json(f"{self.bench_url}/inject", {"lift": lift, "fault": fault, "clear": clear})["injected_at_ms"]
        )

    def press(self, lift: str, hold_ms: int = 300) -> int:
        """Press the alarm button; the unix ms at which the contact closed."""
        return int(post_json(f"{self.bench_url}/press", {"lift": lift, "hold_ms": hold_ms})["at_ms"])

    def restart(self, name: str, *, kill: bool = False) -> None:
        """Stop or kill one part and start it again."""
        child = self.children[name]
        child.kill() if kill else child.stop()
        self.start_part(name)

    def start_part(self, name: str) -> None:
        """Start a part that was stopped."""
        ready = (lambda: services.listens(self.broker_port)) if name == "broker" else None
        self.children[name].start((lambda: True) if name == "influx" else ready)
        if name == "twin":
            self._start_nodes()  # its lines have new names

    def metric(self, name: str) -> float:
        """One gauge of the gateway."""
        return services.gauge(self.metrics_url, name)


def write_run_file(stack: Stack, path: pathlib.Path) -> None:
    """Leave the addresses where `liftwatch inject` and `liftwatch bench` find them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"control": stack.bench_url, "cloud": stack.cloud_url, "city": stack.city_url}))


def forget_run_file(stack: Stack, path: pathlib.Path) -> None:
    """Remove it again, unless another demo has put its own there since."""
    with contextlib.suppress(OSError, ValueError):
        if json.loads(path.read_text())["control"] == stack.bench_url:
            path.unlink()

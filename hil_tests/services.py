"""Starts real servers and parts of the product as child processes on free loopback ports, and stops them by pid."""

import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import random
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

ROOT = pathlib.Path(__file__).parents[1]
START_S = 20.0
_PR_SET_PDEATHSIG = 1
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Where Debian's package faketime puts it.
LIBFAKETIME = "*/faketime/libfaketime.so.1"
_LIBC = ctypes.CDLL(None)


def end_with_parent() -> None:
    """To be run in a child before its program: it is ended when we are, however we end, even by kill -9.

    The kernel watches the thread that starts the child: start it from one that lives as long as the child should.
    """
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def stop_on_signals() -> None:
    """SIGTERM and a closed terminal end this program as Ctrl-C does; SIGINT does so also where a shell had it ignored."""

    def leave(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    for number in ENDINGS:
        signal.signal(number, leave)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Clean up whole: a second Ctrl-C does not leave half of it behind. On the main thread only."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ENDINGS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class StartError(Exception):
    """A part did not come up; the message has its last log lines and what to do."""


# Below those that the kernel gives to clients.
PORTS = range(20_000, 32_000)


def free_port() -> int:
    """A port of loopback that is free now, and that no other process of this user is given before all others were.

    They take turns by a counter in a file: a port is asked for well before its server listens, and tests run beside each other.
    """
    # Not where TMPDIR says: all must find the same one.
    path = pathlib.Path(f"/tmp/liftwatch-ports-{os.getuid()}")  # noqa: S108  holds no secret, and a wrong number does no harm
    with path.open("a+") as turns:
        fcntl.flock(turns, fcntl.LOCK_EX)
        turns.seek(0)
        held = turns.read()
        at = int(held) if held.isdigit() else random.randrange(len(PORTS))
        for step in range(len(PORTS)):
            port = PORTS[(at + step) % len(PORTS)]
            with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
                turns.truncate(0)
                turns.write(str((at + step + 1) % len(PORTS)))
                return port
    raise StartError(f"no port from {PORTS.start} to {PORTS.stop} is free on loopback")


def find(program: str, package: str) -> str:
    """Path of a server program, also from where Debian puts them out of a user's PATH."""
    path = shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if path is None:
        raise StartError(f"{program} is not installed; install Debian's package {package}")
    return path


def get_json(url: str, timeout_s: float = 5.0, *, token: str = "") -> Any:
    """The JSON at a loopback URL; `token` for the cloud's API."""
    with urllib.request.urlopen(urllib.request.Request(url, headers=_bearer(token)), timeout=timeout_s) as response:
        return json.load(response)


def post_json(url: str, body: dict[str, Any], timeout_s: float = 10.0, *, method: str = "POST", token: str = "") -> Any:
    """POST or PUT `body`; the JSON of the answer."""
    headers = {"Content-Type": "application/json", **_bearer(token)}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
    with urllib.request.urlopen(request, timeout=timeout_s) as response:
        return json.load(response)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def gauge(metrics_url: str, name: str) -> float:
    """One gauge of a gateway; NaN if it does not answer or has none of that name."""
    with contextlib.suppress(OSError), urllib.request.urlopen(metrics_url, timeout=5) as response:
        for line in response.read().decode().splitlines():
            if line.startswith(f'liftwatch_value{{name="{name}"}}'):
                return float(line.split()[-1])
    return float("nan")


def wait_until(ready: Callable[[], bool], timeout_s: float, what: str) -> float:
    """Wait for `ready()`; the seconds it took, or StartError saying `what` did not happen."""
    start = time.monotonic()
    while time.monotonic() - start < timeout_s:
        with contextlib.suppress(OSError, ValueError, KeyError):
            if ready():
                return time.monotonic() - start
        time.sleep(0.05)
    raise StartError(f"{what} did not happen within {timeout_s:g} s")


class Child:
    """One child process with a log file. It can be killed and started again with the same command."""

    def __init__(
        self,
        name: str,
        command: list[str],
        directory: pathlib.Path,
        env: dict[str, str] | None = None,
        *,
        user: str | None = None,
        ending: signal.Signals = signal.SIGTERM,
    ) -> None:
        """`user`: whom root becomes for it; `ending`: the signal that asks it to stop."""
        self.name = name
        self.command = command
        self._user = user
        self._ending = ending
        self.log = directory / f"{name}.log"
        self._env = env
        self.process: subprocess.Popen[bytes] | None = None
        self.ready_line = ""

    def start(self, ready: Callable[[], bool] | None = None) -> "Child":
        """Start it; wait for `ready()`, or for a line beginning with "ready" on its output."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        log = self.log.open("ab")
        wants_line = ready is None
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if wants_line else log,
            stderr=log,
            env={**os.environ, **(self._env or {})},
            cwd=ROOT,
            # A terminal's Ctrl-C is for the parent, which stops its children in order.
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509  one call of libc, loaded already
            user=self._user,
        )
        log.close()
        try:
            if ready is not None:
                self._wait(ready)
            else:
                self._read_ready()
        except BaseException:  # also Ctrl-C: nobody else knows of this process yet
            self.stop()
            raise
        return self

    def _wait(self, ready: Callable[[], bool]) -> None:
        assert self.process is not None

        def up() -> bool:
            if self.process is not None and self.process.poll() is not None:
                raise StartError(f"{self.name} ended at once:\n{self.tail()}")
            return ready()

        wait_until(up, START_S, f"the start of {self.name} (log: {self.log})")

    def _read_ready(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        timer = threading.Timer(START_S, self.process.kill)
        timer.start()
        line = self.process.stdout.readline().decode().strip()
        timer.cancel()
        if not line.startswith("ready"):
            raise StartError(f"{self.name} did not come up:\n{self.tail()}")
        self.ready_line = line

    def tail(self) -> str:
        """The last lines of its log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])
        except OSError:
            return ""

    def alive(self) -> bool:
        """It runs."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self._close()

    def stop(self, timeout_s: float = 8.0) -> None:
        """The signal that asks it, then SIGKILL."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(self._ending)
            self.process.send_signal(signal.SIGCONT)  # one that was frozen hears it only then
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self._close()

    def _close(self) -> None:
        if self.process is not None and self.process.stdout is not None:
            self.process.stdout.close()


def movable_clock(file: pathlib.Path, offset_s: int = 0) -> dict[str, str] | None:
    """Environment of a 64-bit child whose wall clock is off by the seconds in `file`, also when they change; None without libfaketime."""
    library = next(iter(pathlib.Path("/usr/lib").glob(LIBFAKETIME)), None)
    if library is None:
        return None
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{offset_s:+d}")
    return {
        "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }  # fmt: skip


def listens(port: int) -> bool:
    """Something accepts connections on loopback `port`."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def tls_listener(
    port: int, ca: pathlib.Path, pair: tuple[pathlib.Path, pathlib.Path], *, certified: bool = False
) -> str:
    """Lines of mosquitto.conf for a listener with the certificate and key `pair`; `certified`: clients must have one of `ca` too."""
    return (
        f"listener {port} 127.0.0.1\ncafile {ca}\ncertfile {pair[0]}\nkeyfile {pair[1]}\n"
        f"require_certificate {str(certified).lower()}\n"
    )


def mosquitto(
    directory: pathlib.Path, port: int | None = None, more: str = "", keep: pathlib.Path | None = None
) -> tuple[Child, int]:
    """A broker on loopback, not started yet, and its port. `more` lines may add listeners; `keep` is where it keeps sessions."""
    port = port or free_port()
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "mosquitto.conf"
    keeps = "persistence false\n" if keep is None else f"persistence true\npersistence_location {keep}/\n"
    text = f"listener {port} 127.0.0.1\nallow_anonymous true\n{keeps}set_tcp_nodelay true\n{more}"
    # As root it would become another user, and be forgotten by `end_with_parent`.
    config.write_text(text + ("user root\n" if os.geteuid() == 0 else ""))
    return Child("mosquitto", [find("mosquitto", "mosquitto"), "-c", str(config)], directory), port


def amqtt(directory: pathlib.Path) -> tuple[Child, int]:
    """The stand-in where mosquitto is missing, from a folder of its own (scripts/setup makes it); as `mosquitto`."""
    program = ROOT / ".amqtt" / "bin" / "amqtt"
    if not program.exists():
        raise StartError(
            "there is no MQTT broker; install Debian's package mosquitto, or run scripts/setup demo for a stand-in"
        )
    port = free_port()
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "amqtt.yaml"
    config.write_text(
        f"listeners:\n  default:\n    type: tcp\n    bind: 127.0.0.1:{port}\n"
        "plugins:\n  amqtt.plugins.authentication.AnonymousAuthPlugin:\n    allow_anonymous: true\n"
    )
    return Child("amqtt", [str(program), "-c", str(config)], directory), port


def broker(directory: pathlib.Path) -> tuple[Child, int, str]:
    """A broker, its port, and what it lacks ("" for mosquitto)."""
    try:
        return *mosquitto(directory), ""
    except StartError:
        lacks = "no last will where a line dies in silence (offline after 30 s then). For a demo, never for service"
        return *amqtt(directory), f"mosquitto is missing; amqtt stands in. It has {lacks}"


def influxd(directory: pathlib.Path) -> tuple[Child, int]:
    """An InfluxDB 1.x on loopback, not started yet, and its port."""
    port, rpc = free_port(), free_port()
    data = directory / "influx"
    data.mkdir(parents=True, exist_ok=True)
    config = directory / "influxdb.conf"
    config.write_text(
        f'reporting-disabled = true\nbind-address = "127.0.0.1:{rpc}"\n'
        f'[meta]\n  dir = "{data}/meta"\n'
        # Lifts beyond 100,000 would vanish with the default of 1.x.
        f'[data]\n  dir = "{data}/data"\n  wal-dir = "{data}/wal"\n  index-version = "tsi1"\n  max-values-per-tag = 0\n'
        f"  max-series-per-database = 0\n  query-log-enabled = false\n"
        f'[http]\n  bind-address = "127.0.0.1:{port}"\n  log-enabled = false\n[monitor]\n  store-enabled = false\n'
    )
    return Child("influxd", [find("influxd", "influxdb"), "-config", str(config)], directory), port


def victoria_metrics(directory: pathlib.Path) -> tuple[Child, int]:
    """A VictoriaMetrics on loopback, not started yet, and its port; StartError where it is not installed."""
    port = free_port()
    # The retention is its longest: records of any year that a test makes up are kept.
    command = [find("victoria-metrics", "victoria-metrics"), "-retentionPeriod", "100y", "-loggerLevel", "WARN"]
    # What is sent again is one point, as it is to InfluxDB.
    command += ["-dedup.minScrapeInterval", "1ms"]
    command += ["-httpListenAddr", f"127.0.0.1:{port}", "-storageDataPath", str(directory / "victoria-metrics")]
    return Child("victoria-metrics", command, directory), port


class Postgres:
    """A PostgreSQL of its own on a free port of loopback: fast and forgetful, for tests. Root starts it as nobody."""

    def __init__(self) -> None:
        """StartError where Debian's package postgresql is not installed."""
        programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"))
        if not programs:
            raise StartError("there is no PostgreSQL server; install Debian's package postgresql")
        user = "nobody" if os.geteuid() == 0 else None
        # Not below a folder that is root's alone: the server must get there.
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="liftwatch-pg-"))
        self._password = secrets.token_hex(8)
        word = self.directory / "password"
        word.write_text(self._password)
        if user is not None:
            for path in (self.directory, word):
                shutil.chown(path, user)
        data = self.directory / "data"
        make = [str(programs[-1]), "-D", str(data), "-U", "lift", "-A", "scram-sha-256", "--pwfile", str(word), "-N"]
        subprocess.run([*make, "-E", "UTF8", "--locale=C.UTF-8"], check=True, capture_output=True, user=user, cwd="/")
        self.port = free_port()
        command = [str(programs[-1].with_name("postgres")), "-D", str(data), "-p", str(self.port), "-F"]
        command += ["-k", str(self.directory), "-c", "listen_addresses=127.0.0.1"]
        self._child = Child("postgres", command, self.directory, user=user, ending=signal.SIGINT)
        self._child.start(lambda: listens(self.port))

    def url(self, database: str) -> str:
        """SQLAlchemy's URL of a database there."""
        return f"postgresql+psycopg://lift:{self._password}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """Stop it and forget all that it kept."""
        self._child.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def part(name: str, directory: pathlib.Path, *arguments: str, env: dict[str, str] | None = None) -> Child:
    """A part of the product by the one command, not started yet."""
    return Child(name, [sys.executable, str(ROOT / "liftwatch.py"), *arguments], directory, env)

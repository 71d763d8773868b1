"""A cloud as a process of its own over a filled database, and what it costs: for the benches. It is set up by its command and by SQL."""

import json
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any, Self

from sqlalchemy import Engine, create_engine, text

from hil_tests import services
from hil_tests.services import StartError

TICKS_S = os.sysconf("SC_CLK_TCK")
PAGE_KB = os.sysconf("SC_PAGE_SIZE") / 1024
DISTRICT = "330106"
# An estate of retrofitted lifts: addresses are invented.
STOPS = 6


def lift_names(count: int) -> list[str]:
    """lift-00001 …"""
    return [f"lift-{number + 1:05d}" for number in range(count)]


def record(name: str, number: int) -> dict[str, Any]:
    """A lift's record, as its gateway tells it."""
    return {
        "id": name, "site": f"estate-{number // 10}", "name": f"荷芳苑 {number // 2} 幢 {number % 2 + 1} 单元",
        "address": f"西溪路 {number // 10} 号 {number // 2} 幢 {number % 2 + 1} 单元", "rescue_code": f"{300_000 + number:06d}",
        "registration_code": f"31103301002025{number:06d}", "stops": STOPS, "doors": 1, "rated_speed_mm_s": 1000,
        "latitude_deg": 30.2 + number % 100 * 0.001, "longitude_deg": 120.1 + number // 100 * 0.001,
        "floor_pitch_mm": 2900, "floor_levels_mm": [], "floor_names": [],
    }  # fmt: skip


class Site:
    """Contractors with as many lifts each, a gateway to each contractor, tokens for all of them."""

    def __init__(self, folder: pathlib.Path, database: str, lifts: int, contractors: int) -> None:
        self.folder, self.database = folder, database
        self.contractors = contractors
        self.lifts = lift_names(lifts)
        self.port = services.free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin_token = ""
        self.tokens: list[str] = []  # of each contractor
        self.gateway_tokens: list[str] = []
        self._child = services.part("cloud", folder, "cloud", "--database", database, "--port", str(self.port))

    def lifts_of(self, contractor: int) -> list[str]:
        """Its lifts."""
        each = len(self.lifts) // self.contractors
        return self.lifts[contractor * each : (contractor + 1) * each]

    def __enter__(self) -> Self:
        self._set_up()
        self._child.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._child.stop()

    def restart(self) -> None:
        """Stop it and start it again."""
        self._child.stop()
        self._child.start()

    def engine(self) -> Engine:
        """The database, past the cloud."""
        return create_engine(self.database.replace("+aiosqlite", ""))

    def admin(self, *arguments: str) -> str:
        """`liftwatch cloud admin …`; what it prints."""
        command = [sys.executable, str(services.ROOT / "liftwatch.py"), "cloud", "admin", "--database", self.database]
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise StartError(f"the cloud could not be set up: {done.stderr.strip()}")
        return done.stdout

    def _set_up(self) -> None:
        steps = ["api-token", "bench", "Platform", "administrator"]
        for number in range(self.contractors):
            name = f"contractor {number}"
            steps += [
                "organisation",
                "contractor",
                name,
                "api-token",
                name,
                name,
                "dispatcher",
                "gateway-token",
                f"g-{number}",
            ]
        lines = self.admin(*steps).splitlines()
        found = [line.split() for line in lines]
        self.admin_token, *self.tokens = [words[-1] for words in found if words[0] == "api-token"]
        self._organisations = [words[1] for words in found if words[0] == "organisation"]
        self.gateway_tokens = [words[-1] for words in found if words[0] == "gateway-token"]
        each = len(self.lifts) // self.contractors
        owners = [min(number // each, self.contractors - 1) for number in range(len(self.lifts))]
        self._insert([
            (record(name, number), f"g-{owner}", self._organisations[owner])
            for number, (name, owner) in enumerate(zip(self.lifts, owners, strict=True))
        ])  # fmt: skip

    def add_lifts(self, names: Sequence[str], gateway: str, contractor: str) -> None:
        """Lifts of a gateway that are a contractor's, before the cloud starts."""
        self._insert([(record(name, number), gateway, contractor) for number, name in enumerate(names)])

    def _insert(self, lifts: list[tuple[dict[str, Any], str, str]]) -> None:
        rows = [
            {
                **told, "gateway": gateway, "contractor": contractor, "district": DISTRICT, "at": 0,
                "floor_levels_mm": json.dumps(told["floor_levels_mm"]), "floor_names": json.dumps(told["floor_names"]),
            }
            for told, gateway, contractor in lifts
        ]  # fmt: skip
        names = [*record("", 0), "gateway", "contractor", "district"]
        query = f"INSERT INTO lift ({', '.join(names)}, made_at_ms) VALUES (:{', :'.join(names)}, :at)"  # noqa: S608  our own names
        engine = self.engine()
        with engine.begin() as connection:
            connection.execute(text(query), rows)
        engine.dispose()

    # -- what it costs ------------------------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """Of the cloud's process."""
        assert self._child.process is not None
        return self._child.process.pid

    def cpu_s(self) -> float:
        """CPU time that it has used."""
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_S

    def cpu_share(self, seconds: float) -> float:
        """Of one core, over so long from now."""
        begun, before = time.monotonic(), self.cpu_s()
        time.sleep(seconds)
        return (self.cpu_s() - before) / (time.monotonic() - begun)

    def memory_mb(self) -> float:
        """Resident."""
        return int(pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE_KB / 1024

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """POST, as the administrator."""
        return services.post_json(self.url + path, body, 30, token=self.admin_token)

    def get(self, path: str, token: str = "") -> Any:
        """GET, as the administrator unless said otherwise."""
        return services.get_json(self.url + path, 30, token=token or self.admin_token)

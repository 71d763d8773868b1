"""The gateway detects for terminals that do not: from a state to the city, over restarts, lost journals and links that change."""

import asyncio
import contextlib
import json
import pathlib
import sqlite3
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

import gateway.intake
from gateway import commands as commands_module
from gateway.clock import unix_ms
from gateway.config import CityRef, Config, Gateway, Lift, load
from gateway.detection import service as detection_module
from gateway.errors import ConfigError
from gateway.lifts import OURS_FROM, is_ours
from gateway.service import Service
from hil_tests.city_mock.server import CityMock
from protocols import messages
from protocols.identity import parse_event_id
from protocols.state import LiftState
from protocols.tests.both.test_detector import DOOR_OPEN, PARKED

SITE, LIFT = "site", "lift-1"
STRANDED = {"passenger": True, "door_zone": False}


async def eventually(holds: Callable[[], bool], timeout_s: float = 15) -> None:
    async with asyncio.timeout(timeout_s):
        while not holds():  # noqa: ASYNC110  what is waited for happens in threads and at the city
            await asyncio.sleep(0.01)


class Terminal:
    """A terminal that the gateway hears, each message in a thread as it comes from the broker. It outlives gateways."""

    def __init__(self, lift: str = LIFT) -> None:
        self.lift = lift
        self.boot, self.conn, self.seq, self.up_ms = 1, 0, 0, 1000
        self.gateway: House | None = None

    async def _fast(self, kind: str, values: dict[str, Any]) -> None:
        assert self.gateway is not None
        payload = messages.encode(kind, values)
        await asyncio.to_thread(
            self.gateway.service.intake.on_fast, f"lift/1/{SITE}/{self.lift}/{kind}", payload, False
        )

    async def birth(self, *, detects: bool = False, **more: Any) -> None:
        self.conn += 1
        await self._fast("link", {"online": True, "boot": self.boot, "conn": self.conn, "detects": detects, **more})
        assert self.gateway is not None
        end = self.gateway.service.lifts.known(self.lift)
        assert end is not None
        await eventually(lambda: end.detected is None or end.detected.is_ready)

    async def event(self, number: int, rev: int = 1, phase: str = "open", kind: str = "trapped_between_floors") -> None:
        await self._fast("event", {
            "id": f"{self.lift}-{self.boot}-{number}", "rev": rev, "boot": self.boot, "up_ms": self.up_ms, "kind": kind,
            "phase": phase, "severity": 4, "class": "alarm", "onset_up_ms": 1, "detected_up_ms": 2, "published_up_ms": 3,
        })  # fmt: skip

    def payload(self, *changes: dict[str, Any], **more: Any) -> bytes:
        values: dict[str, Any] = dict(PARKED)
        for change in (*changes, more):
            values.update(change)
        self.seq += 1
        self.up_ms += 1000
        head = {"boot": self.boot, "conn": self.conn, "seq": self.seq, "up_ms": self.up_ms, "sample_up_ms": self.up_ms}
        return messages.state_payload(head, LiftState(**values))

    def _bring(self, payloads: list[bytes]) -> None:
        assert self.gateway is not None
        for payload in payloads:
            self.gateway.service.intake.on_bulk(f"lift/1/{SITE}/{self.lift}/state", payload, False)

    async def bring(self, *payloads: bytes) -> None:
        await asyncio.to_thread(self._bring, list(payloads))

    async def states(self, seconds: int, *changes: dict[str, Any], **more: Any) -> None:
        await self.bring(*(self.payload(*changes, **more) for _ in range(seconds)))

    async def press(self) -> None:
        await self.states(1, STRANDED, button=True)
        await self.states(1, STRANDED, button=False)

    def reset(self) -> None:
        self.boot, self.conn, self.seq, self.up_ms = self.boot + 1, 0, 0, 0


class House:
    """A gateway without a broker, and what its city and its journal have."""

    def __init__(self, data: pathlib.Path, city: CityMock | None, **lift: Any) -> None:
        self.data = data
        self._city = city
        cities = [] if city is None else [CityRef("shanghai_like.toml", city.platform_url)]
        self._config = Config(Gateway("g", str(data)), city=cities, lift=[Lift(LIFT, SITE, **lift)])
        self.acks: list[dict[str, Any]] = []
        self.followed: list[str] = []
        self.left: list[str] = []

    async def hear(self, terminal: Terminal) -> None:
        terminal.gateway = self

    async def __aenter__(self) -> "House":  # noqa: PYI034  it is never subclassed
        self.service = Service(self._config)
        # Nobody is there: the lanes try for ever, and the test hands over what they would bring.
        self.service.states_lane.follow = self.followed.append  # type: ignore[assignment, method-assign]
        self.service.states_lane.leave = self.left.append  # type: ignore[assignment, method-assign]
        self.service.events_lane.publish = self._ack  # type: ignore[method-assign]
        await self.service.start()
        return self

    def _ack(self, topic: str, payload: bytes) -> None:
        if topic.endswith("/ack"):
            self.acks.append(messages.decode("ack", payload))

    async def __aexit__(self, *error: object) -> None:
        await self.service.stop()

    @property
    def end(self) -> Any:
        return self.service.lifts.known(LIFT)

    def rows(self) -> list[tuple[str, int, str]]:
        """[(id, rev, phase)] in the journal, in order."""
        with contextlib.closing(sqlite3.connect(self.data / "journal.db", timeout=5)) as database:
            return database.execute("SELECT id, rev, phase FROM revision ORDER BY id, rev").fetchall()

    def bodies(self) -> list[dict[str, Any]]:
        with contextlib.closing(sqlite3.connect(self.data / "journal.db", timeout=5)) as database:
            return [json.loads(body) for (body,) in database.execute("SELECT body FROM revision ORDER BY id, rev")]

    def at_city(self) -> list[tuple[str, int, str]]:
        """[(id, rev, phase)] at the city, by key."""
        assert self._city is not None
        return sorted((name, rev, entry["phase"]) for (name, rev), entry in self._city.received.items())

    async def stored(self, count: int) -> list[tuple[str, int, str]]:
        await eventually(lambda: len(self.rows()) >= count)
        assert len(self.rows()) == count, self.rows()
        return self.rows()


@pytest.fixture
async def city() -> AsyncIterator[CityMock]:
    city = CityMock()
    await city.start()
    yield city
    await city.stop()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detection_module, "ROUND_S", 0.05)


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


async def test_somebody_trapped_is_told_to_the_city_and_ends_there(
    tmp_path: pathlib.Path, city: CityMock, terminal: Terminal
) -> None:
    async with House(tmp_path, city) as house:
        await house.hear(terminal)
        await terminal.birth(stops=6, rated_speed_mm_s=1000, profile="nice3000")
        await terminal.states(5, car_status=1, speed_mm_s=900, door_zone=False, passenger=True)
        await terminal.states(25, STRANDED)
        await house.stored(1)
        assert house.end.live.state["faults"] == ["trapped_between_floors"]
        await terminal.states(3, DOOR_OPEN)
        ((name, _, _), *_) = rows = await house.stored(2)
        assert [(rev, phase) for _, rev, phase in rows] == [(1, "open"), (2, "closed")]
        lift, boot, number = parse_event_id(name)
        assert (lift, boot) == (LIFT, 1) and number >= OURS_FROM and is_ours(name)
        await eventually(lambda: house.at_city() == rows)
        opened, closed = house.bodies()
        assert opened["snapshot"]["passenger"] is True and opened["detected_by"] == "gateway" and opened["frames"] == []
        assert [part for part, _ in opened["evidence"]] == ["stopped", "out_of_zone", "passenger"]
        stages = opened["stages"]
        assert stages["detected"] - stages["onset"] == 20_000
        assert stages["onset"] < stages["detected"] <= stages["published"] <= opened["received"]
        assert closed["snapshot"] == opened["snapshot"] and closed["stages"]["onset"] == stages["onset"]
        assert closed["closed_at_ms"] > stages["detected"] and opened["closed_at_ms"] is None
        await eventually(lambda: not house.end.detected.events())
        # The terminal knows nothing of it: no receipt is sent to it.
        assert all(ack["events"] == [] for ack in house.acks)
        assert house.service.values()["black_boxes_waiting"] == 0
        await eventually(lambda: house.followed == [f"lift/1/{SITE}/{LIFT}/state"])


async def test_a_lift_that_detects_itself_is_left_alone(tmp_path: pathlib.Path, terminal: Terminal) -> None:
    async with House(tmp_path, None) as house:
        await house.hear(terminal)
        await terminal.states(30, STRANDED)  # nobody has said yet what it is
        await terminal.birth(detects=True)
        await terminal.states(30, STRANDED)
        assert house.rows() == [] and house.end.detected is None and house.followed == []
        assert house.service.values()["detection_lifts"] == 0


async def test_states_that_come_late_again_or_by_both_lanes_are_one(tmp_path: pathlib.Path, terminal: Terminal) -> None:
    async with House(tmp_path, None) as house:
        await house.hear(terminal)
        await terminal.birth()
        first = [terminal.payload(STRANDED, button=index % 2 == 1) for index in range(8)]
        for payload in first:
            await terminal.bring(payload, payload)
        await terminal.bring(*first)
        rows = await house.stored(4)
        assert [(rev, phase) for _, rev, phase in rows] == [
            (1, "open"), (2, "updated"), (3, "updated"), (4, "updated"),
        ]  # fmt: skip
        assert house.bodies()[-1]["presses"] == 4
        assert house.service.values()["detection_states"] == 8


async def test_a_state_that_a_broker_kept_is_no_evidence(tmp_path: pathlib.Path, terminal: Terminal) -> None:
    async with House(tmp_path, None) as house:
        await house.hear(terminal)
        await terminal.birth()
        old = terminal.payload(STRANDED, button=True)
        house.service.intake.on_bulk(f"lift/1/{SITE}/{LIFT}/state", old, True)
        await terminal.states(2, button=False)
        assert house.end.detected.states.samples == 2 and house.end.detected.open_events() == 0


async def test_an_open_event_goes_on_under_its_id_after_a_restart_and_no_number_comes_twice(
    tmp_path: pathlib.Path, city: CityMock, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with House(tmp_path, city) as house:
        await house.hear(terminal)
        await terminal.birth()
        await terminal.press()
        (first,) = await house.stored(1)
        await eventually(lambda: len(house.at_city()) == 1)
    now_ms = unix_ms()
    # Its clock was set back meanwhile: a day that has been comes again.
    monkeypatch.setattr(gateway.intake, "unix_ms", lambda: now_ms - 86_400_000)
    async with house:
        await house.hear(terminal)
        await terminal.birth()
        await terminal.states(1, STRANDED, button=False)
        await terminal.press()
        rows = await house.stored(2)
        assert rows == [first, (first[0], 2, "updated")] and house.bodies()[-1]["presses"] == 2
        await terminal.states(25, STRANDED)
        await house.stored(3)
        await terminal.states(3, DOOR_OPEN)
        await house.stored(5)
        names = {name for name, _, _ in house.rows()}
        numbers = sorted(parse_event_id(name)[2] for name in names)
        assert len(names) == 2 and numbers[1] > numbers[0]
        await eventually(lambda: house.at_city() == house.rows())
        assert all(ack["events"] == [] for ack in house.acks)
    assert city.counters["repeats"] == 0


async def test_a_terminal_that_boots_anew_goes_on_with_what_is_open(tmp_path: pathlib.Path, terminal: Terminal) -> None:
    async with House(tmp_path, None) as house:
        await house.hear(terminal)
        await terminal.birth()
        await terminal.states(25, STRANDED)
        terminal.reset()
        await terminal.birth()
        await terminal.states(2, STRANDED)
        await terminal.states(3, DOOR_OPEN)
        rows = await house.stored(2)
        assert {name for name, _, _ in rows} == {rows[0][0]} and parse_event_id(rows[0][0])[1] == 1
        opened, closed = house.bodies()
        assert closed["stages"]["onset"] == opened["stages"]["onset"] < closed["closed_at_ms"]


@pytest.mark.parametrize("is_over", [False, True])
async def test_a_journal_that_was_lost_is_told_again_what_was_open(
    tmp_path: pathlib.Path, city: CityMock, terminal: Terminal, *, is_over: bool
) -> None:
    async with House(tmp_path, city) as house:
        await house.hear(terminal)
        await terminal.birth()
        await terminal.states(25, STRANDED)
        (first,) = await house.stored(1)
        if is_over:
            await terminal.states(3, DOOR_OPEN)
            await house.stored(2)
        await eventually(lambda: len(house.at_city()) == 1 + is_over)
        await eventually(lambda: house.end.detected.events() == [] or not is_over)
    for path in tmp_path.glob("journal.db*"):
        path.unlink()
    async with house:
        await house.hear(terminal)
        await terminal.birth()
        if is_over:
            await terminal.states(1, STRANDED, button=True)
            (new,) = await house.stored(1)
            assert new[0] != first[0]
            return
        assert await house.stored(1) == [first]
        await terminal.states(3, DOOR_OPEN)
        rows = await house.stored(2)
        assert rows == [first, (first[0], 2, "closed")]
        await eventually(lambda: house.at_city() == rows)


async def test_a_journal_that_is_replaced_meanwhile_is_told_again(tmp_path: pathlib.Path, terminal: Terminal) -> None:
    async with House(tmp_path, None) as house:
        await house.hear(terminal)
        await terminal.birth()
        await terminal.states(25, STRANDED)
        rows = await house.stored(1)
        with contextlib.closing(sqlite3.connect(tmp_path / "journal.db", timeout=5)) as database, database:
            database.execute("DELETE FROM revision")
            database.execute("DELETE FROM incident")
        house.service.lifts.lock.acquire()
        house.service.lifts.store_replaced("another", events=True)
        house.service.lifts.lock.release()
        await eventually(lambda: house.rows() == rows)
        await terminal.states(3, DOOR_OPEN)
        assert await house.stored(2) == [*rows, (rows[0][0], 2, "closed")]


async def test_what_the_journal_cannot_take_is_tried_until_it_can(
    tmp_path: pathlib.Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with House(tmp_path, None) as house:
        await house.hear(terminal)
        await terminal.birth()
        real, refused = house.service.journal.submit, []

        def submit(*job: Any) -> bool:
            refused.append(job)
            return False

        monkeypatch.setattr(house.service.journal, "submit", submit)
        await terminal.states(25, STRANDED)
        await eventually(lambda: len(refused) > 3)
        assert house.rows() == []
        monkeypatch.setattr(house.service.journal, "submit", real)
        assert [row[1:] for row in await house.stored(1)] == [(1, "open")]
        assert all(ack["events"] == [] for ack in house.acks)


async def test_a_damaged_second_copy_costs_what_is_damaged(tmp_path: pathlib.Path, terminal: Terminal) -> None:
    async with House(tmp_path, None) as house:
        await house.hear(terminal)
        await terminal.birth()
        await terminal.press()
        await terminal.states(25, STRANDED)
        await house.stored(2)
    for path in tmp_path.glob("journal.db*"):
        path.unlink()
    copy = tmp_path / "detected.jsonl"
    lines = copy.read_bytes().splitlines(keepends=True)
    copy.write_bytes(lines[0] + lines[1].replace(b"button_pressed", b"button_presseD") + b"rubbish\n" + lines[2])
    async with house:
        await house.hear(terminal)
        await terminal.birth()
        await house.stored(1)
        assert house.bodies()[0]["kind"] == "trapped_between_floors"
        assert house.service.values()["detection_kept_damaged"] == 2


async def test_events_of_a_node_whose_successor_does_not_detect_are_ended_by_the_gateway(
    tmp_path: pathlib.Path, terminal: Terminal
) -> None:
    async with House(tmp_path, None) as house:
        await house.hear(terminal)
        await terminal.birth(detects=True)
        await terminal.event(1)
        await terminal.event(2, kind="a_fault_of_tomorrow")
        await house.stored(2)
        terminal.reset()
        await terminal.birth()
        await terminal.states(3, STRANDED)
        await house.stored(2)
        assert house.end.live.state["faults"] == ["trapped_between_floors"]
        await terminal.states(3, DOOR_OPEN)
        rows = await house.stored(3)
        # Beyond every number that its node may still come with.
        assert rows[:2] == [(f"{LIFT}-1-1", 1, "open"), (f"{LIFT}-1-1", 1001, "closed")]


async def test_a_terminal_that_learns_to_detect_has_its_open_events_ended_and_no_new_ones_raised(
    tmp_path: pathlib.Path, terminal: Terminal
) -> None:
    async with House(tmp_path, None) as house:
        await house.hear(terminal)
        await terminal.birth()
        await terminal.states(25, STRANDED)
        await house.stored(1)
    terminal.reset()
    async with house:  # it was swapped while the gateway was down
        await house.hear(terminal)
        await terminal.birth(detects=True)
        await terminal.states(40, STRANDED, button=True)
        await house.stored(1)
        await terminal.states(3, DOOR_OPEN)
        assert [(rev, phase) for _, rev, phase in await house.stored(2)] == [(1, "open"), (2, "closed")]
        await eventually(lambda: house.end.detected is None)
        await eventually(lambda: house.left == [f"lift/1/{SITE}/{LIFT}/state"])
        # And back: what its node raised in a boot before is adopted.
        await terminal.event(7)
        await house.stored(3)
        terminal.reset()
        await terminal.birth()
        await terminal.states(3, DOOR_OPEN)
        assert (await house.stored(4))[3] == (f"{LIFT}-2-7", 1001, "closed")


async def test_an_event_counts_whatever_the_link_says(
    tmp_path: pathlib.Path, city: CityMock, terminal: Terminal
) -> None:
    async with House(tmp_path, city) as house:
        await house.hear(terminal)
        await terminal.birth()
        await terminal.event(1, kind="door_blocked")
        await eventually(lambda: house.at_city() == [(f"{LIFT}-1-1", 1, "open")])
        assert house.service.values()["detection_foreign_events"] == 1
        await terminal.event(1)
        await eventually(lambda: any(ack["events"] for ack in house.acks))  # it has its receipt, as any


async def test_a_node_that_comes_back_knows_better_of_its_own_event(tmp_path: pathlib.Path, terminal: Terminal) -> None:
    async with House(tmp_path, None) as house:
        await house.hear(terminal)
        await terminal.birth(detects=True)
        await terminal.event(1)
        await house.stored(1)
        terminal.reset()
        await terminal.birth()
        terminal.boot -= 1
        await terminal.event(1, 2, "closed")
        terminal.boot += 1
        await house.stored(2)
        assert house.end.detected.open_events() == 0
        await terminal.states(5, DOOR_OPEN)
        await house.stored(2)


async def test_near_misses_and_suppressions_are_shown_as_a_node_would_tell_them(
    tmp_path: pathlib.Path, terminal: Terminal
) -> None:
    async with House(tmp_path, None) as house:
        await house.hear(terminal)
        await terminal.birth()
        await terminal.states(17, STRANDED)
        await terminal.states(3)
        await terminal.states(5, STRANDED, service_mode=2)
        states = house.end.detected.states
        assert states.near_misses == {"trapped_between_floors": 1}
        assert states.suppressed == {"trapped_between_floors": 1, "stopped_outside_door_zone": 1}
        values = house.service.values()
        assert (values["detection_near_misses"], values["detection_suppressed"]) == (1, 2)


async def test_what_happens_at_work_is_kept_shown_and_told_to_no_city(
    tmp_path: pathlib.Path, city: CityMock, terminal: Terminal
) -> None:
    async with House(tmp_path, city) as house:
        await house.hear(terminal)
        await terminal.birth()
        await terminal.states(3, work_mode=1)
        await terminal.states(1, DOOR_OPEN, work_mode=1, car_status=1, speed_mm_s=900, door_zone=False)
        await house.stored(2)
        live = house.end.live.state
        assert set(live["faults"]) == {"work_mode", "running_with_door_open"} and live["withheld"] == [
            "running_with_door_open"
        ]
    async with house:
        await house.hear(terminal)
        await terminal.birth()
        await terminal.states(1, DOOR_OPEN, work_mode=1, car_status=1, speed_mm_s=900, door_zone=False)
        await house.stored(2)
        assert house.at_city() == []
        await terminal.states(1, DOOR_OPEN, work_mode=0, car_status=1, speed_mm_s=900, door_zone=False)
        await eventually(lambda: [(rev, phase) for _, rev, phase in house.at_city()] == [(2, "open")])


async def test_birth_and_record_say_what_the_lift_is(tmp_path: pathlib.Path, terminal: Terminal) -> None:
    confirm_ms = {"trapped_between_floors": 40_000}
    async with House(
        tmp_path, None, stops=4, floor_pitch_mm=3000, rated_speed_mm_s=1600, confirm_ms=confirm_ms
    ) as house:
        await house.hear(terminal)
        await terminal.birth()
        settings = house.end.detected.states._settings
        assert (settings.rated_speed_mm_s, settings.travel_mm, settings.doors, settings.profile) == (1600, 9000, 1, "")
        await terminal.states(38, STRANDED)
        assert house.rows() == []
        await terminal.states(5, STRANDED)
        await house.stored(1)
        await terminal.birth(stops=9, rated_speed_mm_s=2500, doors=2, profile="nice3000")
        settings = house.end.detected.states._settings
        await terminal.states(1, STRANDED)
        assert (settings.rated_speed_mm_s, settings.travel_mm, settings.doors) == (2500, 24_000, 2)
        assert settings.profile == "nice3000" and settings.confirm_ms == confirm_ms


async def test_a_lift_like_none_is_judged_as_an_ordinary_one(tmp_path: pathlib.Path, terminal: Terminal) -> None:
    async with House(tmp_path, None, floor_pitch_mm=1) as house:
        await house.hear(terminal)
        await terminal.birth()
        await terminal.states(25, STRANDED)
        await house.stored(1)


def test_a_confirmation_of_no_fault_is_refused_with_its_lift(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(
        '[gateway]\nid = "g"\ndata_dir = "d"\n[[lift]]\nid = "a"\nsite = "s"\nconfirm_ms = { trapped = 5 }\n', "utf-8"
    )
    with pytest.raises(ConfigError, match="lift a: confirm_ms: 'trapped'"):
        load(path)


async def test_ten_thousand_lifts_need_no_task_of_their_own(tmp_path: pathlib.Path) -> None:
    async with House(tmp_path, None) as house:
        before = len(asyncio.all_tasks())
        for number in range(300):
            one = Terminal(f"more-{number}")
            await house.hear(one)
            await one.birth()
            await one.states(1, STRANDED)
        assert len(asyncio.all_tasks()) == before
        assert house.service.values()["detection_lifts"] == 300


async def test_a_competent_person_ends_the_alarm_of_a_lift_whose_terminal_knows_no_commands(
    tmp_path: pathlib.Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands_module, "ANSWER_S", 0.05)
    async with House(tmp_path, None) as house:
        await house.hear(terminal)
        await terminal.birth()
        await terminal.press()
        await terminal.states(25, STRANDED)
        await house.stored(2)
        ended = {"what": "command", "lift": LIFT, "command": "car", "args": {"alarm": "ended"}}
        heard = await house.service._answer({**ended, "args": {"alarm": "heard"}})
        assert heard["ok"] is False and heard["unanswered"] is True
        answer = await house.service._answer(ended)
        assert answer["ok"] is True and "ended 2 alarms" in answer["detail"]
        rows = await house.stored(4)
        assert [phase for _, _, phase in rows] == ["open", "closed", "open", "closed"]
        for body in house.bodies():
            if body["phase"] == "closed":
                assert body["cause"] == "ended" and [name for name, _ in body["evidence"]] == ["ended"]
                assert body["closed_at_ms"] >= body["stages"]["detected"]
        # Somebody is still in there: told anew once it is confirmed anew.
        await terminal.states(25, STRANDED)
        assert house.end.live.state["faults"] == ["trapped_between_floors"] and len(await house.stored(5)) == 5
    async with House(tmp_path, None) as house:
        await house.hear(terminal)
        await terminal.birth()
        answer = await house.service._answer(ended)
        assert answer["ok"] is False and "has told no state" in answer["detail"]

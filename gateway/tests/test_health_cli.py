"""`liftwatch gateway health`: of recordings and of a running gateway's lifts, in words and as JSON; what cannot be read is told."""

import asyncio
import json
import pathlib

from click.testing import CliRunner

from gateway.cli import gateway
from gateway.clock import unix_ms
from gateway.config import Lift
from gateway.log_export import header
from gateway.tests.alone import Gateway
from gateway.tests.health_rig import BEGIN_MS, DAY_MS, PITCH_MM, Walk
from protocols import health, records
from protocols.recording import Header, Writer


def recorded(path: pathlib.Path, days: int, settings: bool = True) -> pathlib.Path:
    """Some days of a lift whose position is told in steps of 100 mm."""
    walk = Walk()
    for day in range(days):
        for trip in range(20):
            walk.run(1 if trip % 2 else 3 + trip % 4)
            walk.open()
            walk.close()
        walk.rest(BEGIN_MS + (day + 1) * DAY_MS - walk.now_ms)
    with path.open("wb") as out:
        head = header(Lift("lift-7", "s", stops=6, floor_pitch_mm=PITCH_MM), None, "a test")
        writer = Writer(out.write, head if settings else Header("lift-7", {}))
        for offset_ms, batch in walk.end():
            writer.batch(offset_ms, batch.body)
        writer.close()
    return path


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(gateway, ["health", *arguments])
    return result.exit_code, result.output


def test_a_recording_is_told_part_by_part(tmp_path: pathlib.Path) -> None:
    code, text = run(str(recorded(tmp_path / "a.lwrec", 8)))
    assert code == 0
    assert "lift-7 on 2026-11-10, 8 days since 2026-11-02: score 100" in text
    assert "Door 1: opening time              2600 ms  mark 100  baseline of 8 days" in text
    assert "Faults                       not known: Nobody keeps this lift's incidents here." in text
    assert "no trend yet" in text and "20 a day, 1160 since ever" in text


def test_one_object_a_line_for_who_reads_it_by_machine(tmp_path: pathlib.Path) -> None:
    files = [str(recorded(tmp_path / f"{days}.lwrec", days)) for days in (2, 8)]
    code, text = run("--json", *files)
    young, old = (json.loads(line) for line in text.splitlines())
    assert code == 0 and (young["score"], old["score"]) == (None, 100)
    assert [part["name"] for part in old["parts"]] == [part.name for part in health.PARTS if part.door < 2]
    assert len(old["history"]) == 8 and old["history"][3]["parts"]["door_1_closing"] == 2600
    assert old["history"][3]["parts"]["faults"] is None


def test_what_is_no_recording_is_told_and_the_others_are_judged_all_the_same(tmp_path: pathlib.Path) -> None:
    (tmp_path / "odd.lwrec").write_text("odd")
    bare = recorded(tmp_path / "bare.lwrec", 1, settings=False)
    code, text = run(
        str(tmp_path / "odd.lwrec"), str(tmp_path / "none.lwrec"), str(bare), str(recorded(tmp_path / "a.lwrec", 8))
    )
    assert code == 1
    assert "odd.lwrec: no recording" in text and "none.lwrec: No such file" in text
    assert "bare.lwrec: a recording with the settings {}" in text and "score 100" in text


def test_a_cut_off_recording_is_judged_by_what_is_whole(tmp_path: pathlib.Path) -> None:
    path = recorded(tmp_path / "a.lwrec", 8)
    path.write_bytes(path.read_bytes()[:-20])
    code, text = run(str(path))
    assert code == 0 and "it is cut off" in text and "8 days" in text


async def test_a_running_gateway_is_asked_on_its_loopback_port(tmp_path: pathlib.Path) -> None:
    walk = Walk(unix_ms() - 10 * DAY_MS)
    for floor in (3, 1, 4):
        walk.trip(floor)
    async with Gateway(tmp_path) as found:
        port = found.service._web.addresses[0][1]  # type: ignore[union-attr]
        for _, batch in walk.end():
            payload = records.wire(1, batch.body)
            await asyncio.to_thread(found.service.intake.on_bulk, "lift/1/s/lift-1/log", payload, False)
        total = sum(batch.count for _, batch in walk.batches)
        await found.until(lambda: found.service.follower.counters["records"] == total)
        code, text = await asyncio.to_thread(run, "lift-1", "--url", f"http://127.0.0.1:{port}", "--json")
        told = json.loads(text)
        assert code == 0 and told["score"] is None and told["days"] == 1
        assert [(day["over"], day["usage"]["door_cycles"]) for day in told["history"]] == [(True, 3)]
        code, text = await asyncio.to_thread(run, "lift-9", "--url", f"http://127.0.0.1:{port}")
        assert code == 1 and "nothing was recorded of a lift" in text
        values = found.service.values()
        assert values["health_lifts"] == 1 and values["health_behind_batches"] == 0 and values["health_failures"] == 0

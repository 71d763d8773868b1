"""The line: its pace by arithmetic, its harms by seed, and that every harm is counted."""

import asyncio
import os
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hil_tests.bench.line import CLEAN, HARMS, HEAVY, Line, Noise, Wire

BYTE_S = 10 / 9600


def wire(noise: Noise = CLEAN, seed: int = 1) -> Wire:
    made = Wire(BYTE_S, random.Random(seed))
    made.noise = noise
    return made


@pytest.mark.parametrize(
    ("baud", "bits", "bytes_sent", "ms"), [(9600, 10, 45, 46.9), (38400, 10, 45, 11.7), (19200, 11, 8, 4.6)]
)
def test_a_burst_takes_its_bytes_time(baud: int, bits: int, bytes_sent: int, ms: float) -> None:
    [(at, data, back)] = Wire(bits / baud, random.Random(1)).carry(bytes(bytes_sent), 100.0)
    assert (at - 100.0) * 1000 == pytest.approx(ms, abs=0.05)
    assert data == bytes(bytes_sent) and not back


def test_a_second_burst_waits_for_the_first() -> None:
    line = wire()
    line.carry(bytes(10), 0.0)
    [(at, _, _)] = line.carry(bytes(10), 0.001)
    assert at == pytest.approx(20 * BYTE_S)
    [(at, _, _)] = line.carry(bytes(10), 5.0)
    assert at == pytest.approx(5.0 + 10 * BYTE_S)


@given(st.lists(st.binary(min_size=1, max_size=60), max_size=20))
def test_a_clean_wire_changes_nothing(bursts: list[bytes]) -> None:
    line = wire()
    assert b"".join(data for burst in bursts for _, data, _ in line.carry(burst, 0.0)) == b"".join(bursts)
    assert line.counters["bytes"] == sum(map(len, bursts)) and line.counters["hurt"] == 0


def arrivals(noise: Noise, seed: int = 1, bursts: int = 400) -> tuple[Wire, list[list[tuple[float, bytes, bool]]]]:
    line = wire(noise, seed)
    return line, [line.carry(bytes(range(20)), float(number)) for number in range(bursts)]


SENT = bytes(range(20))


@pytest.mark.parametrize("harm", HARMS)
def test_each_harm_comes_at_its_rate_and_is_counted(harm: str) -> None:
    chances_of: dict[str, Any] = {harm: 0.05}
    line, _ = arrivals(Noise(**chances_of))
    chances = 400 * 20 if harm in ("flip", "drop", "insert") else 400
    assert line.counters[harm] == pytest.approx(chances * 0.05, rel=0.5)
    assert sum(line.counters[other] for other in HARMS) == line.counters[harm]
    assert 0 < line.counters["hurt"] <= line.counters[harm]


def test_a_flip_changes_one_bit_of_a_byte() -> None:
    _, came = arrivals(Noise(flip=0.02))
    for [(_, data, _)] in came:
        assert len(data) == 20
        assert all((a ^ b).bit_count() <= 1 for a, b in zip(data, SENT, strict=True))


def test_cut_drop_and_insert_change_the_length() -> None:
    assert all(SENT.startswith(data) for [(_, data, _)] in arrivals(Noise(cut=0.5))[1])
    assert any(len(data) < 20 for [(_, data, _)] in arrivals(Noise(drop=0.02))[1])
    assert any(len(data) > 20 for [(_, data, _)] in arrivals(Noise(insert=0.02))[1])


def test_a_merged_burst_runs_into_the_next_one() -> None:
    line, came = arrivals(Noise(merge=0.3))
    assert any(not burst for burst in came) and any(data == SENT + SENT for burst in came for _, data, _ in burst)
    line.noise = CLEAN
    came.append(line.carry(SENT, 1e6))
    assert sum(len(data) for burst in came for _, data, _ in burst) == 401 * 20


def test_an_echo_goes_back_to_its_sender_and_a_delay_comes_late() -> None:
    _, came = arrivals(Noise(echo=1.0))
    assert all([back for _, _, back in burst] == [True, False] for burst in came)
    _, came = arrivals(Noise(delay=1.0, delay_ms=80))
    assert all(at - number - 20 * BYTE_S == pytest.approx(0.08) for number, [(at, _, _)] in enumerate(came))


def test_the_same_seed_does_the_same_harm() -> None:
    assert arrivals(HEAVY, 3)[1] == arrivals(HEAVY, 3)[1] != arrivals(HEAVY, 4)[1]


@pytest.mark.parametrize("wrong", [{"flip": 1.5}, {"cut": -0.1}, {"delay_ms": 100_000}, {"echo": "much"}])
def test_noise_beyond_reason_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Noise(**wrong)


def plug(path: str) -> int:
    """A file number of a tty that does not wait."""
    return os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)


async def test_two_ptys_are_joined_at_the_pace_of_the_line() -> None:
    line = Line(9600)
    line.start()
    loop = asyncio.get_running_loop()
    node, far = plug(line.node.path), plug(line.controller.path)
    came = asyncio.Event()
    loop.add_reader(far, came.set)
    begin = loop.time()
    os.write(node, bytes(48))
    await asyncio.wait_for(came.wait(), 2)
    took = loop.time() - begin
    assert os.read(far, 100) == bytes(48)
    loop.remove_reader(far)
    os.close(node)
    os.close(far)
    line.stop()
    assert 0.050 <= took < 0.250  # 48 bytes at 9600 8N1, and whatever this machine is busy with
    assert line.counters["bytes"] == 48


async def test_a_line_that_nobody_reads_loses_what_it_carries_and_counts_it() -> None:
    line = Line(10_000_000)
    line.start()
    node = plug(line.node.path)
    for _ in range(60):
        os.write(node, bytes(500))
        await asyncio.sleep(0.002)
    os.close(node)
    line.stop()
    assert line.counters["lost"] > 0

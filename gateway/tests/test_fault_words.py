"""Fault words that no table names: counted once while they show, kept over restarts, forgotten when they are named, bounded."""

import asyncio
import json
import pathlib
import threading

import pytest
from click.testing import CliRunner

from gateway.cli import gateway
from gateway.config import Broker, Config, Gateway, Lift
from gateway.fault_words import FILE, MAX_WORDS, UnknownWords
from gateway.service import Service
from protocols import messages
from protocols.identity import topic
from protocols.records import BatchWriter, wire


def test_a_word_counts_once_for_as_long_as_it_shows(tmp_path: pathlib.Path) -> None:
    words = UnknownWords(tmp_path / FILE)
    for at_ms, word in ((1, 77), (2, 77), (3, 0), (4, 77), (5, 41), (6, None), (7, 77)):
        words.note("lift-1", "nice3000", word, at_ms)
    words.note("lift-2", "nice3000", 77, 3)
    words.note("lift-3", None, 78, 3)
    (row,) = words.listed()
    assert row == {
        "profile": "nice3000", "word": 77, "seen": 4, "lifts": ["lift-1", "lift-2"], "first_ms": 1, "last_ms": 7,
    }  # fmt: skip
    assert words.values() == {"fault_words_unknown": 1, "fault_words_seen": 4, "fault_words_dropped": 0}


def test_unknown_words_outlive_a_restart_until_a_table_names_them(tmp_path: pathlib.Path) -> None:
    words = UnknownWords(tmp_path / FILE)
    words.note("lift-1", "nice3000", 77, 5)
    again = UnknownWords(tmp_path / FILE)
    assert again.listed() == words.listed()
    rows = json.loads((tmp_path / FILE).read_text())
    (tmp_path / FILE).write_text(json.dumps([*rows, {**rows[0], "word": 41}]))
    assert [row["word"] for row in UnknownWords(tmp_path / FILE).listed()] == [77]


@pytest.mark.parametrize("text", ["", "nonsense", "{}", "[1]", '[{"word": 7}]', "null"])
def test_a_damaged_file_is_begun_anew(tmp_path: pathlib.Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    words = UnknownWords(tmp_path / FILE)
    assert words.listed() == []
    words.note("lift-1", "nice3000", 77, 5)
    assert [row["word"] for row in UnknownWords(tmp_path / FILE).listed()] == [77]


def test_a_bus_that_tells_noise_fills_nothing_without_end(tmp_path: pathlib.Path) -> None:
    words = UnknownWords(tmp_path / FILE)
    for number in range(MAX_WORDS + 50):
        words.note("lift-1", "nice3000", 1000 + number, number)
    assert len(words.listed()) == MAX_WORDS
    assert words.values()["fault_words_dropped"] == 50


async def test_the_gateway_lists_what_a_controller_showed_and_no_table_names(tmp_path: pathlib.Path) -> None:
    config = Config(
        gateway=Gateway(id="gw", data_dir=str(tmp_path)), broker=Broker(port=1), lift=[Lift(id="lift-1", site="s")]
    )
    service = Service(config)
    port = await service.start()
    birth = {"online": True, "boot": 1, "conn": 1, "profile": "nice3000"}
    service.intake.on_fast(topic("s", "lift-1", "link"), messages.encode("link", birth), True)
    writer = BatchWriter(1, 1, 1, 1000, 1_795_000_000_000)
    for at_ms, word in ((1000, 0), (2000, 77), (3000, 41)):
        writer.add(at_ms, {"controller_fault": word})
    # The lane's thread, as it would be.
    lane = threading.Thread(
        target=service.intake.on_bulk, args=(topic("s", "lift-1", "log"), wire(1, writer.close()), False)
    )
    lane.start()
    await asyncio.to_thread(lane.join)
    url = f"http://127.0.0.1:{port}"
    result = await asyncio.to_thread(CliRunner().invoke, gateway, ["fault-words", "--url", url])
    assert result.exit_code == 0, result.output
    assert "word    77 seen 1 times" in result.output and "lift-1" in result.output
    assert "1 unknown fault words" in result.output
    assert service.values()["fault_words_unknown"] == 1
    await service.stop()

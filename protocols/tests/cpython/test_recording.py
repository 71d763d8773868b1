"""Recordings: whole, cut at every byte, flipped at every byte, rubbish. What is whole is used, what is lost is told."""

import io
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import recording
from protocols.errors import DecodeError, EncodeError
from protocols.recording import MAGIC, Gap, Header, Label, Recording, Writer, read
from protocols.records import BatchWriter

SETTINGS = {"rated_speed_mm_s": 1000, "travel_mm": 14500, "doors": 1, "confirm_ms": {}}


def body(number: int, records: int = 3) -> bytes:
    writer = BatchWriter(7, number, 2, number * 1000, 0)
    for at in range(records):
        writer.add(number * 1000 + at, {"floor": 1 + at % 9, "position_mm": 400 * at})
    return writer.close()


def written(batches: int = 5, offset_ms: int = 1_795_000_000_000, records: int = 3) -> bytes:
    out = io.BytesIO()
    writer = Writer(out.write, Header("lift-1", SETTINGS, "nice3000", "site-1", "a test"))
    writer.label(Label("trapped_at_level", 5, 9, "电梯 一", ["mains_lost"]))
    for number in range(1, batches + 1):
        writer.batch(offset_ms, body(number, records))
    writer.gap(Gap(7, 3, None, "life_ended"))
    writer.label(Label("", 10, 10, "a note"))
    writer.close()
    return out.getvalue()


def shown(found: Recording) -> tuple[list[object], list[object], list[object]]:
    labels: list[object] = [
        (label.fault, label.onset_ms, label.end_ms, label.text, *label.also) for label in found.labels
    ]
    gaps: list[object] = [(gap.life, gap.first, gap.last, gap.reason) for gap in found.gaps]
    return [(offset, batch.body) for offset, batch in found.batches], labels, gaps


def test_a_whole_recording_comes_back_as_it_was_written() -> None:
    found = read(written())
    head = found.header
    assert (head.lift, head.site, head.profile, head.settings, head.origin) == (
        "lift-1", "site-1", "nice3000", SETTINGS, "a test",
    )  # fmt: skip
    labels = [("trapped_at_level", 5, 9, "电梯 一", "mains_lost"), ("", 10, 10, "a note")]
    bodies = [(1_795_000_000_000, body(number)) for number in range(1, 6)]
    assert shown(found) == (bodies, labels, [(7, 3, None, "life_ended")])
    assert found.complete and found.problems == []


@given(st.lists(st.tuples(st.integers(-(2**52), 2**52), st.integers(1, 60)), max_size=12))
def test_any_batches_come_back_in_their_order(entries: list[tuple[int, int]]) -> None:
    out = io.BytesIO()
    writer = Writer(out.write, Header("lift-1", {}))
    for number, (offset, records) in enumerate(entries, 1):
        writer.batch(offset, body(number, records))
    writer.close()
    found = read(out.getvalue())
    assert found.complete
    assert [(offset, batch.body) for offset, batch in found.batches] == [
        (offset, body(number, records)) for number, (offset, records) in enumerate(entries, 1)
    ]


def test_a_long_recording_has_many_blocks_and_is_much_smaller_than_its_batches() -> None:
    data = written(batches=3000, records=60)
    found = read(data)
    assert found.complete and len(found.batches) == 3000
    assert data.count(b"B") > 1
    assert len(data) < sum(len(batch.body) for _, batch in found.batches) / 2


def test_a_recording_cut_at_any_byte_gives_what_stands_before_the_cut() -> None:
    whole = written()
    complete = shown(read(whole))
    seen = set()  # how many batches each cut leaves; -1: no recording at all
    for end in range(len(whole)):
        try:
            found = read(whole[:end])
        except DecodeError:
            seen.add(-1)
            continue
        assert not found.complete and found.problems
        for part, all_of_it in zip(shown(found), complete, strict=True):
            assert part == all_of_it[: len(part)]
        seen.add(len(found.batches))
    assert seen == {-1, 0, 5}


def test_a_recording_with_any_bit_flipped_tells_it_and_loses_at_most_what_was_there() -> None:
    whole = written()
    complete = shown(read(whole))
    used = lost_header = 0
    for at in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[at] ^= 1 << bit
            try:
                found = read(bytes(damaged))
            except DecodeError:
                lost_header += 1
                continue
            used += 1
            assert not found.complete and found.problems
            for part, all_of_it in zip(shown(found), complete, strict=True):
                assert set(part) <= set(all_of_it)
    assert used > lost_header > 0


def test_a_damaged_block_costs_itself_and_none_behind_it() -> None:
    whole = written(batches=3000, records=60)
    at = whole.index(b"B", 200) + 2000
    damaged = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
    found = read(damaged)
    assert 0 < len(found.batches) < 3000
    assert found.batches[-1][1].number == 3000
    assert len(found.labels) == 2 and len(found.gaps) == 1
    assert any("checksum" in problem for problem in found.problems)


@given(st.binary(max_size=400))
def test_rubbish_is_no_recording(data: bytes) -> None:
    for text in (data, MAGIC + data):
        with pytest.raises(DecodeError):
            read(text)


def test_bytes_behind_the_end_are_told() -> None:
    found = read(written() + b"more")
    assert len(found.batches) == 5 and not found.complete
    assert "4 bytes behind the end" in found.problems[0]


def packed(kind: bytes, payload: bytes) -> bytes:
    squeezed = zlib.compress(payload)
    head = kind + len(squeezed).to_bytes(4, "little") + zlib.crc32(squeezed).to_bytes(4, "little")
    return head + zlib.crc32(head).to_bytes(4, "little") + squeezed


HEADER = packed(b"H", json.dumps({"format": 1, "lift": "lift-1", "settings": {}}).encode())


@pytest.mark.parametrize(
    ("block", "words"),
    [
        (packed(b"B", bytes(recording.MAX_BLOCK_BYTES + 1)), "unpacks to more"),
        (packed(b"B", b"\x00\x05abc"), "does not fit"),
        (packed(b"B", b"\x00" + bytes([12]) + b"not a batch!"), "left out"),
        (packed(b"L", b"[]"), "no JSON object"),
        (packed(b"L", b"{"), "no JSON"),
        (packed(b"L", b'{"fault":"x","onset_ms":true,"end_ms":2}'), "onset_ms"),
        (packed(b"L", b'{"fault":"x","onset_ms":3,"end_ms":2}'), "ends before"),
        (packed(b"L", b'{"fault":"x","onset_ms":1,"end_ms":2,"also":5}'), "also"),
        (packed(b"G", b'{"life":1}'), "first"),
        (packed(b"Z", b"{}"), "does not know"),
        (packed(b"H", b"{}"), "does not know"),
    ],
)
def test_a_block_of_another_mind_is_left_out_and_told(block: bytes, words: str) -> None:
    good = packed(b"L", b'{"fault":"x","onset_ms":1,"end_ms":2}')
    found = read(MAGIC + HEADER + block + good)
    assert words in found.problems[0], found.problems
    assert [label.fault for label in found.labels] == ["x"] and found.batches == []


@pytest.mark.parametrize(
    "value", [{"format": 2}, {"format": 1, "lift": 7}, {"format": 1, "lift": "a", "settings": []}, []]
)
def test_a_header_of_another_version_is_told(value: object) -> None:
    with pytest.raises(DecodeError, match="header is lost"):
        read(MAGIC + packed(b"H", json.dumps(value).encode()))


def test_what_is_no_batch_or_no_label_is_not_written() -> None:
    writer = Writer(io.BytesIO().write, Header("lift-1", {}))
    with pytest.raises(DecodeError):
        writer.batch(0, b"rubbish")
    with pytest.raises(EncodeError):
        writer.label(Label("x", 2, 1))

"""The log's batches against the golden vectors, on both interpreters."""

import json
from binascii import unhexlify

from protocols import records
from protocols.errors import DecodeError, EncodeError
from protocols.fields import FIELDS

with open(__file__.rsplit("/", 3)[0] + "/vectors/batches.json") as _file:
    VECTORS = json.load(_file)


def _fails(payload: bytes) -> bool:
    try:
        records.decode_wire(payload).records()
    except DecodeError:
        return True
    return False


def test_each_good_vector_decodes_to_its_records() -> None:
    for vector in VECTORS["good"]:
        batch = records.decode_wire(unhexlify(vector["hex"]))
        for name in vector["head"]:
            assert getattr(batch, name) == vector["head"][name], (vector["name"], name)
        assert [[up_ms, changes] for up_ms, changes in batch.records()] == vector["records"], vector["name"]


def test_each_good_vector_is_encoded_to_the_same_bytes() -> None:
    for vector in VECTORS["good"]:
        payload = unhexlify(vector["hex"])
        batch = records.decode_wire(payload)
        writer = records.BatchWriter(batch.life, batch.number, batch.boot, batch.up_ms, batch.t_ms)
        for up_ms, changes in batch.records():
            # The order of a dict is not kept everywhere, so the bytes may differ; what they say may not.
            assert writer.add(up_ms, changes)
        again = records.decode_wire(records.wire(batch.base, writer.close()))
        assert again.records() == batch.records() and len(again.body) == len(batch.body)


def test_each_bad_vector_is_malformed() -> None:
    for vector in VECTORS["bad"]:
        assert _fails(unhexlify(vector["hex"])), vector["name"]


def test_a_batch_cut_at_any_byte_or_with_any_byte_changed_is_malformed() -> None:
    payload = unhexlify(VECTORS["good"][0]["hex"])
    for length in range(len(payload)):
        assert _fails(payload[:length]), length
    for index in range(3, len(payload)):
        wrong = bytearray(payload)
        wrong[index] ^= 0x10
        assert _fails(bytes(wrong)), index


def test_varints_hold_all_numbers_of_the_contract() -> None:
    for value in (0, 1, 127, 128, 16383, 16384, 1 << 31, 1763600000000, 1 << 53):
        out = bytearray()
        records.put_varint(out, value)
        assert records.get_varint(bytes(out), 0) == (value, len(out)), value


def test_a_full_batch_refuses_and_stays_valid() -> None:
    writer = records.BatchWriter(1, 1, 1, 0, 0)
    count = 0
    while writer.add(count * 1000, {"floor": 1 + count % 7, "starts": count * 1000000}):
        count += 1
    assert 80 < count == writer.count
    body = writer.close()
    assert len(body) <= records.MAX_BODY_BYTES
    assert len(records.Batch(body, 1).records()) == count


def test_a_value_out_of_range_is_our_fault() -> None:
    writer = records.BatchWriter(1, 1, 1, 0, 0)
    for changes in ({"floor": 0}, {"speed_mm_s": -1}, {"door_1": 9}, {}):
        try:
            writer.add(0, changes)
        except EncodeError:
            continue
        raise AssertionError(changes)


def test_an_ordinary_trip_costs_few_bytes_a_record() -> None:
    writer = records.BatchWriter(1, 1, 1, 0, 0)
    up_ms = 0
    for changes in (
        {"door_1": 1}, {"door_1": 2, "door_lock": True}, {"direction": 1, "car_status": 1}, {"speed_mm_s": 180},
        {"speed_mm_s": 400, "position_mm": 400}, {"speed_mm_s": 900, "door_zone": False}, {"floor": 2},
        {"position_mm": 2600}, {"floor": 3, "door_zone": True}, {"speed_mm_s": 0, "car_status": 0, "direction": 0},
        {"door_1": 3, "door_lock": False}, {"door_1": 4},
    ):  # fmt: skip
        up_ms += 700
        assert writer.add(up_ms, changes)
    assert writer.size() <= 8 * writer.count, writer.size()


def test_a_fields_number_is_its_place_in_the_table() -> None:
    assert [field.number for field in FIELDS] == list(range(1, len(FIELDS) + 1))

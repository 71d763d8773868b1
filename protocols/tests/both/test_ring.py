"""The log on flash: one life over all boots, power cuts between any two operations, refusals, damage; on both interpreters."""

from protocols import records
from protocols.delivery.log import ChangeLog
from protocols.delivery.ring import MIN_ENTRY_BYTES, TAIL_BYTES, FlashRing
from protocols.state import LiftState
from protocols.tests.ram_files import PowerCut, RamFiles

SEGMENT = 300
CAPACITY = 1200


def make(files: RamFiles, boot: int = 3) -> FlashRing:
    return FlashRing(files, boot, CAPACITY, SEGMENT)


def batch(ring: FlashRing, boot: int = 3, floors: int = 8) -> bytes:
    writer = records.BatchWriter(ring.life, ring.newest + 1, boot, 1000 * boot, 0)
    for floor in range(floors):
        writer.add(1000 * boot + floor, {"floor": 1 + (floor + ring.newest) % 7})
    return writer.close()


def fill(ring: FlashRing, count: int, boot: int = 3) -> dict[int, bytes]:
    """{number: body} of `count` further batches."""
    out = {}
    for _ in range(count):
        body = batch(ring, boot)
        ring.put(body)
        out[ring.newest] = body
    return out


def test_what_was_put_is_there_after_any_number_of_boots_and_the_numbers_go_on() -> None:
    files = RamFiles()
    written: dict[int, bytes] = {}
    for boot in range(3, 8):
        ring = make(files, boot)
        assert ring.life == 3 and ring.newest == len(written)
        written.update(fill(ring, 4, boot))
    ring = make(files, 9)
    assert (ring.life, ring.base, ring.newest, ring.lost, ring.errors) == (3, 1, 20, 0, 0)
    for number in written:
        assert ring.body(number) == written[number]
        assert ring.after(number - 1) == number
    assert ring.body(21) is None and ring.body(0) is None and ring.after(20) == 21


def test_the_oldest_goes_first_and_base_tells_it() -> None:
    files = RamFiles()
    ring = make(files)
    written = fill(ring, 200)
    assert ring.base > 150 and ring.dropped == ring.base - 1
    assert sum(len(held) for held in files.kept.values()) == ring.held_bytes() <= CAPACITY
    again = make(files, 4)
    assert (again.base, again.newest, again.life) == (ring.base, 200, 3)
    assert [again.body(number) for number in range(ring.base, 201)] == [
        written[number] for number in range(ring.base, 201)
    ]
    assert again.body(ring.base - 1) is None and again.after(3) == ring.base


def test_a_power_cut_before_or_after_any_operation_leaves_every_kept_batch_and_a_ring_that_goes_on() -> None:
    cuts = 0
    for is_after in (False, True):
        cut_at = 0
        while True:
            cut_at += 1
            files = RamFiles()
            files.cut_at, files.cut_is_after = cut_at, is_after
            ring = make(files)
            written: dict[int, bytes] = {}
            body = b""
            try:
                for _ in range(40):
                    body = batch(ring)
                    ring.put(body)
                    written[ring.newest] = body
            except PowerCut:
                cuts += 1
            else:
                break
            files.cut_at = 0
            ring = make(files, 4)
            assert ring.newest in (len(written), len(written) + 1), (cut_at, is_after)
            if ring.newest > len(written):
                written[ring.newest] = body  # the cut came after it was written
            assert ring.lost == 0 and ring.errors == 0
            for number in range(ring.base, ring.newest + 1):
                assert ring.body(number) == written[number], (cut_at, is_after, number)
            written.update(fill(ring, 12, 4))
            again = make(files, 5)
            assert again.newest == ring.newest and again.life == ring.life
            for number in range(again.base, again.newest + 1):
                assert again.body(number) == written[number], (cut_at, is_after, number)
    assert cuts > 90


def test_what_flash_refuses_waits_in_ram_and_follows_in_order() -> None:
    files = RamFiles()
    ring = make(files)
    written = fill(ring, 2)
    files.refuses = 3
    written.update(fill(ring, 3))
    assert ring.errors == 3 and (ring.newest, ring.kept) == (5, 2)
    written.update(fill(ring, 1))
    assert [make(files, 4).body(number) for number in range(1, 7)] == [written[number] for number in range(1, 7)]


def test_flash_that_refuses_for_ever_costs_bounded_ram_and_no_history() -> None:
    files = RamFiles()
    ring = FlashRing(files, 3, 8000, SEGMENT)
    written = fill(ring, 10)
    files.refuses = 10000
    written.update(fill(ring, 300))
    assert [ring.body(number) for number in range(1, 11)] == [written[number] for number in range(1, 11)]
    assert (
        ring.lost == 300 - (310 - ring.kept)
        and 0 < sum(len(written[number]) for number in range(ring.kept + 1, 311)) <= TAIL_BYTES
    )
    assert ring.after(10) == ring.kept + 1
    files.refuses = 0
    first = ring.kept + 1
    written.update(fill(ring, 1))
    again = FlashRing(files, 4, 8000, SEGMENT)
    assert again.newest == again.kept == 311
    for number in range(first, 312):
        assert again.body(number) == written[number]
    assert again.body(first - 1) is None and again.after(10) == first


def test_a_file_system_that_is_full_drops_the_oldest_segment_and_takes_the_new_batch() -> None:
    files = RamFiles(700)
    ring = make(files)
    written = fill(ring, 60)
    assert ring.lost == 0 and 0 < ring.errors < 10 and ring.base > 1
    held = range(ring.base, ring.kept + 1)
    assert ring.kept >= 59 and [ring.body(number) for number in held] == [written[number] for number in held]
    assert make(files, 4).newest >= 59


def test_a_flipped_byte_costs_what_cannot_be_told_apart_and_no_more() -> None:
    files = RamFiles()
    written = fill(make(files), 12)
    names = sorted(files.kept)
    for name in names[:-1]:
        whole = files.kept[name]
        for at in range(0, len(whole), 7):
            files.kept[name] = whole[:at] + bytes((whole[at] ^ 0x55,)) + whole[at + 1 :]
            ring = make(files, 4)
            found = [ring.body(number) for number in range(1, 13)]
            wrong = [index for index in range(12) if found[index] != written[index + 1]]
            assert ring.newest == 12 and all(found[index] is None for index in wrong)
            first = int(name[4:], 16)
            assert wrong and all(first <= index + 1 < first + 8 for index in wrong)
            assert ring.after(wrong[0]) == wrong[-1] + 2  # numbers are one above the index
        files.kept[name] = whole


def test_numbers_of_a_damaged_end_are_never_given_again() -> None:
    for keep in (0, 1, 5, 40, 90):
        files = RamFiles()
        fill(make(files), 12)
        last = sorted(files.kept)[-1]
        files.kept[last] = files.kept[last][:keep] + b"\xff" * (len(files.kept[last]) - keep)
        ring = make(files, 4)
        assert ring.life == 3 and 12 <= ring.newest <= 12 + SEGMENT // MIN_ENTRY_BYTES
        before = ring.newest
        written = fill(ring, 2)
        again = make(files, 5)
        assert again.newest == before + 2 and again.body(before + 1) == written[before + 1]


def test_where_nothing_can_be_read_a_new_life_begins_and_others_files_stay() -> None:
    files = RamFiles()
    fill(make(files), 12)
    for name in list(files.kept):
        files.kept[name] = bytes(len(files.kept[name]))
    files.kept["event-1-1"] = b"x"
    files.kept["log-nonsense"] = b"y"
    ring = make(files, 9)
    assert (ring.life, ring.base, ring.newest) == (9, 1, 0)
    assert sorted(files.kept) == ["event-1-1", "log-nonsense"]
    written = fill(ring, 1, 9)
    assert make(files, 10).body(1) == written[1]


def test_a_store_that_has_more_than_the_ring_is_believed_within_reason() -> None:
    files = RamFiles()
    log = ChangeLog(make(files), 3, 1000)
    for now in range(0, 4000, 100):
        log.record(LiftState(floor=1 + now // 100 % 7), now)
        log.flush(now)
    newest = log.newest
    log.skip_to(newest + 5)
    assert log.newest == newest + 5 and log.body(newest + 3) is None and log.after(newest) == newest + 6
    log.skip_to(newest + 10**6)
    assert log.newest == newest + 5
    log.record(LiftState(floor=3), 9000)
    log.flush(11000)
    body = log.body(newest + 6)
    assert body is not None and records.Batch(body, 1).number == newest + 6
    again = make(files, 4)
    assert again.newest == newest + 6 and again.body(newest + 6) == body

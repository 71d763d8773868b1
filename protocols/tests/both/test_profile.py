"""Register profiles: each one's own vectors, the plan of blocks and its errors, on both interpreters."""

import json
import os

from protocols.errors import SettingsError
from protocols.modbus.rtu import transaction_us
from protocols.profiles.profile import Profile
from protocols.state import LiftState

FOLDER = __file__.rsplit("/", 3)[0] + "/profiles"


def _profiles() -> list[dict]:
    found = []
    for name in sorted(os.listdir(FOLDER)):
        if name.endswith(".json"):
            with open(FOLDER + "/" + name) as file:
                found.append(json.load(file))
    return found


def _nice3000() -> dict:
    return next(data for data in _profiles() if data["name"] == "nice3000")


def test_each_profile_decodes_its_own_vectors() -> None:
    for data in _profiles():
        profile = Profile(data)
        assert data["vectors"], data["name"]
        for vector in data["vectors"]:
            state = LiftState()
            profile.decode({int(address): value for address, value in vector["registers"].items()}, state, 1)
            for name in vector["fields"]:
                assert getattr(state, name) == vector["fields"][name], (vector["name"], name, getattr(state, name))


def test_a_fault_word_keeps_the_mode_before_it() -> None:
    profile = Profile(_nice3000())
    state = LiftState(service_mode=3)
    profile.decode({0x101D: 5 << 4}, state)
    assert state.service_mode == 3


def test_missing_registers_change_nothing() -> None:
    profile = Profile(_nice3000())
    state = LiftState(floor=4, door_1=2)
    profile.decode({}, state)
    assert state.floor == 4 and state.door_1 == 2 and state.speed_mm_s is None


def test_a_site_may_wire_and_invert_its_inputs() -> None:
    profile = Profile(_nice3000(), {"door_zone": {"address": 0x1016, "bit": 5, "active": 0}})
    state = LiftState()
    profile.decode({0x1015: 0xFFFF, 0x1016: 0}, state)
    assert state.door_zone is True and state.safety_circuit is True
    profile.decode({0x1015: 0xFFFF, 0x1016: 1 << 5}, state)
    assert state.door_zone is False


def test_near_registers_share_a_block_and_far_ones_do_not() -> None:
    requests = Profile(_nice3000()).plan("safety")
    assert [(request.address, request.count) for request in requests] == [(0x1010, 14), (0x3000, 1)]
    requests = Profile(_nice3000()).plan("slow")
    assert [(request.address, request.count) for request in requests] == [(0x8000, 1), (0xF909, 4)]


def test_the_plan_covers_every_address_and_nothing_that_may_not_be_read() -> None:
    profile = Profile(_nice3000())
    for baud in (9600, 19200, 38400):
        for group in ("safety", "slow"):
            covered: set[int] = set()
            for request in profile.plan(group, baud):
                block = range(request.address, request.address + request.count)
                covered.update(block)
                assert any(first <= block[0] and block[-1] <= last for first, last in profile.readable)
            assert covered.issuperset(profile.addresses(group)), (baud, group)
        assert profile.cycle_us("safety", baud) == sum(
            transaction_us(request, baud, 10, 10000) for request in profile.plan("safety", baud)
        )


def test_mistakes_in_a_profile_are_told_with_their_place() -> None:
    def changed(**changes: object) -> dict:
        data = dict(_nice3000())
        data.update(changes)
        return data

    point = {"field": "floor", "group": "safety", "kind": "number", "address": 1}
    for data, word in (
        (changed(format=9), "format"),
        (changed(points=[dict(point, field="flor")]), "flor"),
        (changed(points=[dict(point, kind="odd")]), "kind"),
        (changed(points=[dict(point, address="x")]), "address"),
        (changed(points=[dict(point, address=0x6000)]), "0x6000"),
        (changed(points=[{"field": "door_1", "group": "safety", "kind": "first", "rules": [{"bits": []}]}]), "bits"),
        (changed(points=[dict(point, field="door_1", kind="enum", map={"0": 9})]), "9"),
        (changed(readable=[[2, 1]]), "readable"),
        (changed(framing={"check": "md5"}), "md5"),
        (changed(serial={"baud": True}), "baud"),
        (changed(serial={}), "baud"),
    ):
        try:
            Profile(data)
        except SettingsError as error:
            assert word in str(error) and "nice3000" in str(error), str(error)
            continue
        raise AssertionError(word)
    for inputs, word in (
        ({"brake": {}}, "brake"),
        ({"door_zone": {"address": 1, "bit": 16}}, "bit"),
        ({"door_zone": 3}, "3"),
    ):
        try:
            Profile(_nice3000(), inputs)
        except SettingsError as error:
            assert word in str(error)
            continue
        raise AssertionError(word)

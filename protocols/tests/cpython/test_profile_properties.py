"""Properties of register profiles: no file and no register value breaks a node, and no plan of reads is quicker than ours."""

import copy
import itertools
import json
import pathlib
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import SettingsError
from protocols.fields import FIELDS, check_value
from protocols.modbus.rtu import MAX_REGISTERS, Request, transaction_us
from protocols.profiles.profile import MAX_BLOCK, Profile
from protocols.state import LiftState

FOLDER = pathlib.Path(__file__).parents[2] / "profiles"
NICE3000 = json.loads((FOLDER / "nice3000.json").read_text())
BAUDS = (1200, 9600, 19200, 38400, 115200)

words = st.integers(0, 0xFFFF)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from((-1, 0, 1, 16, 64, 0x6000, 0xFFFF, 0x10000)), st.text()
)
rubbish = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all that is in a JSON value."""
    found = [path] if path else []
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        found += places(inner, (*path, key))
    return found


PLACES = [path for path in places(NICE3000) if path[0] != "vectors"]


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """The NICE3000 profile with one to three entries replaced or gone."""
    data: dict[str, Any] = copy.deepcopy(NICE3000)
    for _ in range(draw(st.integers(1, 3))):
        path = PLACES[draw(st.integers(0, len(PLACES) - 1))]
        try:
            inner: Any = data
            for key in path[:-1]:
                inner = inner[key]
            if draw(st.booleans()):
                inner[path[-1]] = draw(rubbish)
            else:
                del inner[path[-1]]
        except (KeyError, IndexError, TypeError):
            pass  # gone already with what it was in
    return data


def profile_of(addresses: set[int], readable: list[list[int]], baud: int = 9600, delay_ms: int = 10) -> Profile:
    """A profile that reads just `addresses`."""
    points = [
        {"field": field.name, "group": "safety", "kind": "number", "address": address}
        for field, address in zip(FIELDS, sorted(addresses), strict=False)
    ]
    return Profile(
        {
            "format": 1,
            "name": "x",
            "serial": {"baud": baud, "format": "8N1", "unit": 1, "reply_delay_ms": delay_ms},
            "readable": readable,
            "points": points,
        }
    )


# -- any file, any register ---------------------------------------------------------------------------------------


@given(
    damaged(),
    st.one_of(st.none(), st.dictionaries(st.sampled_from(("door_zone", "inspection", "x")), rubbish)),
    st.integers(),
)
def test_a_damaged_profile_is_refused_by_name_or_works(
    data: dict[str, Any], inputs: dict[str, Any] | None, seed: int
) -> None:
    refusal = None
    try:
        profile = Profile(data, inputs)
    except SettingsError as error:
        refusal = str(error)
    if refusal is not None:
        assert refusal.startswith("profile")
        return
    rng = random.Random(seed)
    registers = {}
    for group in ("safety", "slow"):
        for request in profile.plan(group):
            last = request.address + request.count - 1
            assert any(low <= request.address and last <= high for low, high in profile.readable)
            for address in range(request.address, last + 1):
                registers[address] = rng.randrange(0x10000)
        profile.cycle_us(group)
    profile.decode(registers, LiftState())


@given(
    st.dictionaries(st.sampled_from([*range(0x1010, 0x101E), 0x3000, 0x8000, *range(0xF909, 0xF90D)]), words),
    st.integers(1, 2),
)
def test_whatever_a_controller_says_the_state_stays_within_the_field_table(
    registers: dict[int, int], doors: int
) -> None:
    state = LiftState()
    Profile(copy.deepcopy(NICE3000)).decode(registers, state, doors)
    for field in FIELDS:
        value = getattr(state, field.name)
        assert value is None or check_value(field, value) == value, field.name
    assert doors == 2 or state.door_2 is None


def test_a_profile_may_not_read_what_it_does_not_list() -> None:
    data = copy.deepcopy(NICE3000)
    data["points"].append({"field": "door_cycles", "group": "slow", "kind": "number", "address": 0x6000})
    with pytest.raises(SettingsError, match="0x6000"):
        Profile(data)
    with pytest.raises(SettingsError, match="0x6004"):
        Profile(copy.deepcopy(NICE3000), {"door_zone": {"address": 0x6004, "bit": 0}})


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.stem)
def test_no_profile_of_ours_lists_registers_that_act(path: pathlib.Path) -> None:
    for low, high in json.loads(path.read_text())["readable"]:
        assert high < 0x4000 or low > 0x6004, "4000 unlocks parameters, 6000 to 6004 reset, lock and run the lift"


# -- the plan -----------------------------------------------------------------------------------------------------


def least_us(profile: Profile, baud: int) -> int:
    """The least wire time of all ways to cut the addresses into blocks, by trying them all."""
    addresses = profile.addresses("safety")
    times = []
    for cuts in itertools.product((False, True), repeat=len(addresses) - 1):
        blocks = [[addresses[0], addresses[0]]]
        for cut, address in zip(cuts, addresses[1:], strict=True):
            if cut:
                blocks.append([address, address])
            else:
                blocks[-1][1] = address
        if all(z - a < MAX_BLOCK and any(low <= a and z <= high for low, high in profile.readable) for a, z in blocks):
            delay_us = profile.reply_delay_ms * 1000
            requests = [Request(1, 3, a, z - a + 1) for a, z in blocks]
            times.append(sum(transaction_us(request, baud, profile.bits, delay_us) for request in requests))
    return min(times)


@given(
    st.sets(st.integers(0, 160), min_size=1, max_size=9),
    st.sampled_from(([[0, 160]], [[0, 80], [81, 160]], [[0, 100], [60, 160]])),
    st.sampled_from(BAUDS),
    st.integers(0, 20),
)
def test_no_other_way_to_cut_the_reads_is_quicker(
    addresses: set[int], readable: list[list[int]], baud: int, delay_ms: int
) -> None:
    readable = [*readable, *([address, address] for address in addresses)]
    profile = profile_of(addresses, readable, baud, delay_ms)
    requests = profile.plan("safety", baud)
    assert profile.cycle_us("safety", baud) == least_us(profile, baud)
    covered = [address for request in requests for address in range(request.address, request.address + request.count)]
    assert covered == sorted(set(covered)) and addresses <= set(covered)
    assert all(request.count <= MAX_BLOCK < MAX_REGISTERS and request.function == 3 for request in requests)

"""The signs of each fault: what the twin shows at a moment at which the fault is there. Truth for judging, never for detecting."""

from collections.abc import Callable

from hil_tests.bench.door import AJAR, CLOSED, OPEN, OPENING
from hil_tests.bench.lift import Value
from hil_tests.bench.twin import Twin

Sample = dict[str, Value]


def _doors(sample: Sample) -> list[Value]:
    return [sample[name] for name in ("door_1", "door_2") if name in sample]


def _shut(sample: Sample) -> bool:
    doors = _doors(sample)
    return bool(doors) and all(door == CLOSED for door in doors)


def _stands(sample: Sample) -> bool:
    return sample.get("car_status") == 0 and sample.get("speed_mm_s") == 0


def _speed(sample: Sample) -> int:
    return sample.get("speed_mm_s") or 0


def _between(sample: Sample) -> bool:
    return _stands(sample) and sample["door_zone"] is False


# name: (does it show now?)
_SHOWS: dict[str, Callable[[Sample, Twin], bool]] = {
    "button_pressed": lambda s, t: s["button"] is True,
    "trapped_at_level": lambda s, t: bool(s["passenger"]) and _stands(s) and s["door_zone"] is True and _shut(s),
    "trapped_between_floors": lambda s, t: bool(s["passenger"]) and _between(s),
    "trapped_in_power_cut": lambda s, t: s["mains"] is False and s["passenger"] is True,
    "unintended_car_movement": lambda s, t: OPEN in _doors(s) and s["door_zone"] is False,
    "running_with_door_open": lambda s, t: AJAR in _doors(s) and s["car_status"] == 1 and s["door_zone"] is False,
    "overspeed": lambda s, t: _speed(s) >= 1.15 * t.spec.rated_speed_mm_s,
    "over_travel_up": lambda s, t: t.position_mm > t.floor_mm(t.spec.stops) + 200,
    "over_travel_down": lambda s, t: t.position_mm < -200,
    "safety_circuit_open_running": lambda s, t: s["safety_circuit"] is False,
    "stopped_outside_door_zone": lambda s, t: s["passenger"] is False and _between(s),
    "door_reversal_loop": lambda s, t: t.door_obstacle and OPENING in _doors(s) and t.reversals > 0,
    "door_blocked": lambda s, t: t.door_held and not _shut(s),
    "start_failing": lambda s, t: t.phase == "failed",
    "brake_slipping": lambda s, t: s["car_status"] == 0 and _speed(s) >= 30 and _shut(s),
    "levelling_inaccurate": lambda s, t: t.phase == "open" and _speed(s) > 0,
    "floor_position_lost": lambda s, t: s["controller_fault"] in (30, 58),
    "restart_prevented": lambda s, t: s["controller_fault"] in (33, 36, 39) and _stands(s),
    "door_wont_open": lambda s, t: _stands(s) and s["door_zone"] is True and _shut_but_driven(s),
    "run_time_exceeded": lambda s, t: s["car_status"] == 1,
    "mains_lost": lambda s, t: s["mains"] is False,
    "controller_mute": lambda s, t: s["mains"] is True and s["controller_link"] is False,
    "battery_low": lambda s, t: t.battery_low,
    "button_stuck": lambda s, t: s["button"] is True,
    "presence_stuck": lambda s, t: s["passenger"] is True and "presence_stuck" in t.flaws,
    "input_flickering": lambda s, t: _stands(s) and s["door_zone"] is False and _shut(s),
    "work_mode": lambda s, t: s["work_mode"] == 1,
    "out_of_service": lambda s, t: s["service_mode"] == 0,
    "inspection": lambda s, t: s["service_mode"] == 2,
    "fire_return": lambda s, t: s["service_mode"] == 3,
    "firefighter": lambda s, t: s["service_mode"] == 4,
    "emergency_power": lambda s, t: s["service_mode"] == 5,
    "earthquake": lambda s, t: s["service_mode"] == 6,
    "automatic_restored": lambda s, t: s["service_mode"] == 1,
}
# These are told of something that happens again and again: they are there from its first time on.
REPEATED = {"door_reversal_loop", "door_wont_open", "start_failing", "levelling_inaccurate", "input_flickering"}


def _shut_but_driven(sample: Sample) -> bool:
    """Commanded open, and shut all the same."""
    return OPENING in _doors(sample) and sample["door_lock"] is True


class Onset:
    """Since when the fault `name` shows without a break (`ms`), or since it first did where it is one that repeats itself.

    `last_ms` is that of its last showing, also when that is over: whoever looks once a second may tell of it a moment later.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.ms: int | None = None
        self.last_ms: int | None = None

    def look(self, twin: Twin) -> None:
        """Take what `twin` shows now."""
        sample = twin.sample()
        # Of a mute controller nothing shows but what the node's own inputs tell.
        own = self._name in ("button_pressed", "button_stuck", "trapped_in_power_cut", "mains_lost", "controller_mute",
                             "battery_low", "presence_stuck", "work_mode")  # fmt: skip
        shows = (own or sample["controller_link"] is True) and _SHOWS[self._name](sample, twin)
        if shows and self.ms is None:
            # The button's edge is told as it happens, everything else as somebody looks.
            self.ms = twin.button_edges[-1][0] if sample["button"] and self._name == "button_pressed" else twin.now_ms
        elif not shows and self._name not in REPEATED:
            self.ms = None
        self.last_ms = self.last_ms if self.ms is None else self.ms

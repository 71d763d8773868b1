"""What is known of one lift at one moment: one attribute for each field, None where unknown. No clock, no codec."""

from protocols.fields import BUS_NAMES, BY_NAME, NAMES, check_value


class LiftState:
    """One attribute per name of `fields.NAMES`, None = unknown. Values are those of the field table (units there)."""

    # For the type checker: neither interpreter makes anything of these.
    service_mode: int | None
    car_status: int | None
    direction: int | None
    door_zone: bool | None
    floor: int | None
    door_1: int | None
    door_2: int | None
    passenger: bool | None
    speed_mm_s: int | None
    position_mm: int | None
    load_permille: int | None
    safety_circuit: bool | None
    door_lock: bool | None
    mains: bool | None
    button: bool | None
    light_curtain: bool | None
    overload: bool | None
    controller_link: bool | None
    controller_fault: int | None
    run_hours: int | None
    starts: int | None
    door_cycles: int | None
    battery_low: bool | None
    work_mode: int | None
    alarm_shown: int | None

    def __init__(self, **values: int | None) -> None:
        for name in NAMES:
            setattr(self, name, None)
        for name in values:
            if name not in BY_NAME:
                raise AttributeError("no field is named %r" % name)
            setattr(self, name, values[name])

    def copy(self) -> "LiftState":
        """An independent copy."""
        other = LiftState()
        for name in NAMES:
            setattr(other, name, getattr(self, name))
        return other

    def forget_bus(self) -> None:
        """Make unknown all that only the controller can tell: it did not answer."""
        for name in BUS_NAMES:
            setattr(self, name, None)

    def known_fields(self) -> dict:
        """{name: value} of what is known, by the names of the field table."""
        return {name: getattr(self, name) for name in NAMES if getattr(self, name) is not None}

    def known_of_bus(self) -> dict:
        """As `known`, but only of what the controller tells."""
        return self.known(BUS_NAMES)

    def known(self, names: tuple[str, ...] = NAMES) -> dict:
        """{name: value} of what is known, as the wire carries it: doors as the list `doors`."""
        values = {}
        for name in names:
            value = getattr(self, name)
            if value is not None and name != "door_1" and name != "door_2":
                values[name] = value
        if self.door_2 is not None:
            values["doors"] = [self.door_1 or 0, self.door_2]
        elif self.door_1 is not None:
            values["doors"] = [self.door_1]
        return values


def from_known(values: dict) -> LiftState:
    """The LiftState that a wire dict tells of; what is missing, foreign or out of range is unknown."""
    state = LiftState()
    for name in NAMES:
        if name in values:
            setattr(state, name, check_value(BY_NAME[name], values[name]))
    doors = values.get("doors")
    if isinstance(doors, list):
        for index in range(min(2, len(doors))):
            name = "door_1" if index == 0 else "door_2"
            setattr(state, name, check_value(BY_NAME[name], doors[index]))
    return state

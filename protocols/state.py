"""What is known of one lift at one moment: one attribute for each field, None where unknown. No clock, no codec."""

from protocols.fields import BUS_NAMES, BY_NAME, NAMES, check_value


class LiftState:
    """One attribute per name of `fields.NAMES`, None = unknown. Values are those of the field table (units there)."""

    def __init__(self, **values):
        for name in NAMES:
            setattr(self, name, None)
        for name in values:
            if name not in BY_NAME:
                raise AttributeError("no field is named %r" % name)
            setattr(self, name, values[name])

    def copy(self):
        """An independent copy."""
        other = LiftState()
        for name in NAMES:
            setattr(other, name, getattr(self, name))
        return other

    def forget_bus(self):
        """Make unknown all that only the controller can tell: it did not answer."""
        for name in BUS_NAMES:
            setattr(self, name, None)

    def known(self):
        """{name: value} of what is known, as the wire carries it: doors as the list `doors`."""
        values = {}
        for name in NAMES:
            value = getattr(self, name)
            if value is not None and name != "door_1" and name != "door_2":
                values[name] = value
        if self.door_2 is not None:
            values["doors"] = [self.door_1 or 0, self.door_2]
        elif self.door_1 is not None:
            values["doors"] = [self.door_1]
        return values


def from_known(values):
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

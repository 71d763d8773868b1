"""What kind of trouble a lift is in, from what is known of it now. The page's own rule, which knows of incidents and cases too, is behind it. Pure."""

from typing import Any, Literal

from protocols.faults import BY_NAME

Trouble = Literal["trapped", "fault", "gone", "work", "none"]
SEVERE = 4
# Normal service and the parking that ends it, of the national list of modes.
ORDINARY_MODES = (None, 1, 7)


def of(quality: str, state: dict[str, Any]) -> Trouble:
    """`quality` and state as they are shown."""
    if quality not in ("good", "bus_silent"):
        return "gone"
    withheld = state.get("withheld") or ()
    faults = [name for name in state.get("faults") or () if name != "work_mode" and name not in withheld]
    if any(name in BY_NAME and BY_NAME[name].severity == SEVERE for name in faults):
        return "trapped"
    if faults or quality == "bus_silent":
        return "fault"
    if state.get("work_mode") or state.get("service_mode") not in ORDINARY_MODES:
        return "work"
    return "none"

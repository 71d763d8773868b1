"""An incident as each viewer may see it: an area event has lifts of many. Pure."""

from collections.abc import Callable
from typing import Any

from cloud.live.alarms import Eyes


def of_members(incident: dict[str, Any], sees: Callable[[str], bool]) -> dict[str, Any]:
    """An incident as shown to who `sees` only some of its members' lifts; itself where that leaves nothing out."""
    members = incident.get("members") or []
    seen = [member for member in members if sees(str(member["lift"]))]
    return incident if len(seen) == len(members) else {**incident, "members": seen}


def shown_to(incident: dict[str, Any], eyes: Eyes) -> dict[str, Any] | None:
    """The same for viewers of the alarm channel; None if it is not for them."""
    return of_members(incident, eyes.sees) if eyes.sees_place(str(incident["lift"])) else None

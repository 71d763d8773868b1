"""Members of an area event, as each viewer may see them. Pure."""

from collections.abc import Callable
from typing import Any


def of_members(incident: dict[str, Any], sees: Callable[[str], bool]) -> dict[str, Any]:
    """An incident as shown to who `sees` only some of its members' lifts; itself where that leaves nothing out."""
    members = incident.get("members") or []
    seen = [member for member in members if sees(str(member["lift"]))]
    return incident if len(seen) == len(members) else {**incident, "members": seen}

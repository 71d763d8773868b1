"""Register profiles as a node carries them: without what only a reader or a test needs, which would cost its heap. No file is written."""

import json
import pathlib
from typing import Any

FOLDER = pathlib.Path(__file__).parents[1] / "protocols" / "profiles"
LEFT_OUT = ("vectors", "title", "source")


def names() -> list[str]:
    """The profiles that there are."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def load(name: str) -> dict[str, Any]:
    """The parsed profile `name`, as a node loads it; OSError if there is none."""
    if name not in names():  # a path is no name
        raise FileNotFoundError(name)
    profile: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return {entry: value for entry, value in profile.items() if entry not in LEFT_OUT}


def text(name: str) -> str:
    """The file as it lies on the node."""
    return json.dumps(load(name), separators=(",", ":"))

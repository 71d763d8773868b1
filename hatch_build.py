"""Build hook: makes the page before the wheel is packed, so that pip alone suffices to install it."""

import pathlib
import subprocess
import sys
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageHook(BuildHookInterface):  # type: ignore[type-arg]  # its configuration is not ours
    """Runs cloud.web.build for a wheel; an editable install builds the page by scripts/setup."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling before packing."""
        if version != "editable":
            subprocess.run([sys.executable, "-m", "cloud.web.build"], cwd=pathlib.Path(self.root), check=True)

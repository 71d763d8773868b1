"""The node's one voice: lines on the console with uptime and level. No storage, no network."""

import time

LEVELS = ("error", "warning", "info", "debug")


class Console:
    """`say(level, text)` prints what is at or above the level set."""

    def __init__(self, level="info"):
        self._limit = LEVELS.index(level)

    def set_level(self, level):
        """Change the level; False if there is none of that name."""
        if level not in LEVELS:
            return False
        self._limit = LEVELS.index(level)
        return True

    def say(self, level, text):
        """Print `text` with the time since boot, if its level is shown."""
        if LEVELS.index(level) <= self._limit:
            print("%d %s %s" % (time.ticks_ms(), level, text))

"""Fault words of controllers that no table names: counted, and kept over restarts until a person has named them. It judges no lift."""

import json
import logging
import pathlib
import threading
from typing import Any

from protocols.controller_fault_texts import is_known

_log = logging.getLogger(__name__)

FILE = "fault_words.json"
# Ours: a controller has some dozens of words; a bus that tells noise may have thousands.
MAX_WORDS = 500
MAX_LIFTS = 20


class UnknownWords:
    """Words that the tables lack, by profile. `note` is called from the bulk lane, the rest from the loop."""

    def __init__(self, path: pathlib.Path) -> None:
        """`path`: where they are kept. A file that cannot be read is told and begun anew: the history has the words all the same."""
        self._path = path
        self._lock = threading.Lock()
        self._found: dict[tuple[str, int], dict[str, Any]] = {}
        self._last: dict[str, int] = {}
        self.dropped = 0
        try:
            for entry in json.loads(path.read_text())[:MAX_WORDS]:
                row = {name: entry[name] for name in ("profile", "word", "seen", "lifts", "first_ms", "last_ms")}
                if not is_known(int(row["word"]), str(row["profile"])):  # named since by a newer table
                    self._found[str(row["profile"]), int(row["word"])] = row
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            _log.error("%s cannot be read (%s); unknown fault words are counted anew", path, error)

    def note(self, lift: str, profile: str | None, word: int | None, at_ms: int) -> None:
        """`lift` shows `word`: counted once for as long as it shows it. Without a profile nothing can be said of it yet."""
        if profile is None or word is None:
            return
        with self._lock:
            if self._last.get(lift) == word:
                return
            self._last[lift] = word
            if is_known(word, profile):
                return
            row = self._found.get((profile, word))
            is_new = row is None
            if row is None:
                if len(self._found) >= MAX_WORDS:
                    self.dropped += 1
                    return
                row = {"profile": profile, "word": word, "seen": 0, "lifts": [], "first_ms": at_ms, "last_ms": at_ms}
                self._found[profile, word] = row
            row["seen"] += 1
            row["first_ms"], row["last_ms"] = min(row["first_ms"], at_ms), max(row["last_ms"], at_ms)
            if lift not in row["lifts"] and len(row["lifts"]) < MAX_LIFTS:
                row["lifts"].append(lift)
        if is_new:
            _log.warning("lift %s: its controller (%s) shows fault word %d, which no table names", lift, profile, word)
            self.save()

    def listed(self) -> list[dict[str, Any]]:
        """[{profile, word, seen, lifts, first_ms, last_ms}], the one seen last first."""
        with self._lock:
            rows = [{**row, "lifts": list(row["lifts"])} for row in self._found.values()]
        return sorted(rows, key=lambda row: (-row["last_ms"], row["profile"], row["word"]))

    def values(self) -> dict[str, float]:
        """Gauges: how many unknown words there are, how often they were seen, how many found no room."""
        with self._lock:
            seen = sum(row["seen"] for row in self._found.values())
            return {
                "fault_words_unknown": len(self._found),
                "fault_words_seen": seen,
                "fault_words_dropped": self.dropped,
            }

    def save(self) -> None:
        """Keep them: at each new word, and at the end. A disk that is full costs the counts since, and nothing else."""
        partial = self._path.with_suffix(".partial")
        try:
            partial.write_text(json.dumps(self.listed(), indent=1))
            partial.replace(self._path)
        except OSError as error:
            _log.error("%s cannot be written: %s", self._path, error)

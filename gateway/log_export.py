"""One lift's local log as a recording. It reads the store beside a running gateway and never changes it."""

import contextlib
import pathlib
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from gateway.config import Lift
from gateway.errors import ExportError
from gateway.log_reader import LOOK_BACK_MS
from gateway.log_rows import COLUMNS, opened
from protocols.errors import DecodeError
from protocols.recording import Gap, Header, Writer


@dataclass
class Exported:
    """What was written, and what could not be read; times are unix ms, None where there is nothing."""

    batches: int = 0
    gaps: int = 0
    damaged: int = 0
    first_ms: int | None = None
    last_ms: int | None = None


def header(lift: Lift, profile: str | None, origin: str) -> Header:
    """What the detector must know of `lift`, from its record; confirmations that its node changes are not known here."""
    settings = {
        "rated_speed_mm_s": lift.rated_speed_mm_s,
        "travel_mm": (lift.stops - 1) * lift.floor_pitch_mm,
        "doors": lift.doors,
    }
    return Header(lift.id, settings, profile, lift.site, origin)


def export(path: pathlib.Path, head: Header, from_ms: int, to_ms: int, write: Callable[[bytes], object]) -> Exported:
    """Write what the log at `path` holds of the lift between these times (unix ms); ExportError if it cannot be read."""
    out = Exported()
    writer = Writer(write, head)
    spans: dict[int, tuple[int, int]] = {}  # life -> first and last number written
    try:
        # Read-only: the gateway may be running beside us, and alarms wait for no export.
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            for row in database.execute(
                f"SELECT {COLUMNS} FROM batch WHERE lift = ? AND first_ms BETWEEN ? AND ? AND last_ms >= ? "  # noqa: S608  ours
                "ORDER BY first_ms, row",
                (head.lift, from_ms - LOOK_BACK_MS, to_ms, from_ms),
            ):
                try:
                    batch = opened(row)
                except (DecodeError, TypeError):
                    out.damaged += 1
                    continue
                first_ms, last_ms, offset_ms = row[4:7]
                writer.batch(offset_ms, batch.body)
                low, high = spans.get(batch.life, (batch.number, batch.number))
                spans[batch.life] = min(low, batch.number), max(high, batch.number)
                out.first_ms = first_ms if out.first_ms is None else out.first_ms
                out.last_ms = last_ms if out.last_ms is None else max(out.last_ms, last_ms)
            for life, first, last, reason in database.execute(
                "SELECT life, first, last, reason FROM gap WHERE lift = ? ORDER BY life, first", (head.lift,)
            ):
                low, high = spans.get(life, (1, 0))
                if low <= first <= high or (last is not None and low <= last <= high):
                    writer.gap(Gap(life, first, last, reason))
    except sqlite3.Error as error:
        raise ExportError(f"{path} cannot be read: {error}; is data_dir right?") from error
    writer.close()
    out.batches, out.gaps = writer.batches, writer.gaps
    return out

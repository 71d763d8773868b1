"""One lift's local log as a recording. It reads the store beside a running gateway and never changes it."""

import contextlib
import itertools
import pathlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from gateway import log_rows
from gateway.config import Lift
from gateway.errors import ExportError
from gateway.log_reader import LOOK_BACK_MS
from protocols.errors import DecodeError
from protocols.recording import Gap, Header, Label, Writer


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
        "travel_mm": lift.travel_mm(),
        "doors": lift.doors,
    }
    return Header(lift.id, settings, profile, lift.site, origin)


def export(
    path: pathlib.Path,
    head: Header,
    from_ms: int,
    to_ms: int,
    write: Callable[[bytes], object],
    labels: Iterable[Label] = (),
) -> Exported:
    """Write what the log at `path` holds of the lift between these times (unix ms); ExportError if it cannot be read."""
    out = Exported()
    writer = Writer(write, head)
    for label in labels:
        writer.label(label)
    try:
        # Read-only: the gateway may be running beside us, and alarms wait for no export.
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            # By their numbers, not by their times: a black box's batches come behind those of the same minute.
            spans = database.execute(
                "SELECT life, min(number), max(number) FROM batch WHERE lift = ? AND first_ms BETWEEN ? AND ? AND last_ms >= ? "
                "GROUP BY life ORDER BY life",
                (head.lift, from_ms - LOOK_BACK_MS, to_ms, from_ms),
            ).fetchall()
            for row in itertools.chain.from_iterable(_batches(database, head.lift, *span) for span in spans):
                try:
                    batch = log_rows.opened(row)
                except (DecodeError, TypeError):
                    out.damaged += 1
                    continue
                first_ms, last_ms, offset_ms = row[4:7]
                writer.batch(offset_ms, batch.body)
                out.first_ms = min(first_ms, out.first_ms or first_ms)
                out.last_ms = max(last_ms, out.last_ms or last_ms)
            for life, low, high in spans:
                for first, last, reason in database.execute(
                    "SELECT first, last, reason FROM gap WHERE lift = ? AND life = ? AND first <= ? "
                    "AND (last IS NULL OR last >= ?) ORDER BY first",
                    (head.lift, life, high + 1, low),
                ):
                    writer.gap(Gap(life, first, last, reason))
    except sqlite3.Error as error:
        raise ExportError(f"{path} cannot be read: {error}; is data_dir right?") from error
    writer.close()
    out.batches, out.gaps = writer.batches, writer.gaps
    return out


def _batches(database: sqlite3.Connection, lift: str, life: int, first: int, last: int) -> Iterator[log_rows.Row]:
    query = (
        f"SELECT {log_rows.COLUMNS} FROM batch WHERE lift = ? AND life = ? AND number BETWEEN ? AND ? ORDER BY number"  # noqa: S608  ours
    )
    yield from database.execute(query, (lift, life, first, last))

"""The command `liftwatch gateway health`: of recordings, or of the lifts of a running gateway on its loopback port. It judges nothing itself."""

import json
import pathlib
import urllib.parse
from typing import Any

import click
import msgspec

from gateway.config import LiftHealth
from gateway.health import parts
from gateway.health.day import date_of
from gateway.health.recorded import report_of
from gateway.loopback import ask, url_of
from protocols import health, health_texts
from protocols.errors import ContractError
from protocols.recording import read
from protocols.texts import FIELD_TEXTS

# A lift-year takes some 12 MB; what is larger is no recording of one lift.
MAX_FILE_BYTES = 500_000_000


@click.command("health")
@click.argument("names", nargs=-1, required=True, metavar="FILE…|LIFT…")
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=pathlib.Path),
    help="ask the running gateway of this gateway.toml for lifts",
)
@click.option("--url", help="or the one whose metrics are here, as http://127.0.0.1:9100")
@click.option("--json", "as_json", is_flag=True, help="one JSON object a line, with the days")
@click.option(
    "--utc-offset", "offset_minutes", default=480, show_default=True, help="minutes; when a recorded lift's day begins"
)
def health_command(
    names: tuple[str, ...], path: pathlib.Path | None, url: str | None, as_json: bool, offset_minutes: int
) -> None:
    """The health of lifts: the score with its parts, each with value, baseline, trend and mark, or why it is not known.

    Without --config or --url the names are recordings (`liftwatch gateway export`, `liftwatch twin record`).

    Example: liftwatch gateway health november.lwrec
    """
    failed = False
    for name in names:
        try:
            if path is not None or url is not None:
                found = ask(f"{url_of(path, url)}/lift-health?lift={urllib.parse.quote(name)}")
            else:
                found = _recorded(pathlib.Path(name), offset_minutes)
        except (ContractError, OSError) as error:
            click.echo(f"{name}: {getattr(error, 'strerror', None) or error}", err=True)
            failed = True
            continue
        click.echo(json.dumps({"name": name, **found}, ensure_ascii=False) if as_json else _text(name, found))
    if failed:
        raise SystemExit(1)


def _recorded(file: pathlib.Path, offset_minutes: int) -> dict[str, Any]:
    if file.stat().st_size > MAX_FILE_BYTES:
        raise ContractError(f"larger than {MAX_FILE_BYTES} bytes: no recording of one lift")
    recording = read(file.read_bytes())
    for problem in recording.problems:
        click.echo(f"{file}: {problem}", err=True)
    lift, days, report = report_of(recording, offset_minutes * 60_000, LiftHealth())
    history = [
        {"date": date_of(day.date).isoformat(), "parts": parts.figures(day, None), "usage": parts.usage(lift, day)} for day in days
    ]  # fmt: skip
    return {**msgspec.to_builtins(report), "history": history}


def _text(name: str, found: dict[str, Any]) -> str:
    score = "no score" if found["score"] is None else f"score {found['score']}"
    since = f" since {found['first']}" if found["first"] else ""
    lines = [
        f"{name}: {found['lift']} on {found['date']}, {found['days']} days{since}: {score}, {found['known']} % known"
    ]
    for part in found["parts"]:
        row = health.BY_NAME[part["name"]]
        title = health_texts.PARTS[part["name"]][0]
        if part["value"] is None:
            reason = part["reason"] or {"key": "days"}
            lines.append(f"  {title:28s} not known: {_reason(reason)}")
            continue
        first = (
            f"first {part['baseline']:g}"
            if part["baseline"] is not None
            else f"baseline of {part['baseline_days']} days"
        )
        lines.append(
            f"  {title:28s} {part['value']:9g} {row.unit:3s} mark {part['mark']:3d}  {first:22s} {_trend(part['trend'], row.unit)}"
        )
    for used in found["usage"]:
        if used["per_day"] is not None:
            total = "" if used["total"] is None else f", {used['total']:g} since ever"
            lines.append(f"  {health_texts.USAGE[used['name']][0]:28s} {used['per_day']:9g} a day{total}")
    return "\n".join(lines)


def _reason(reason: dict[str, Any]) -> str:
    words = health_texts.REASONS.get(reason["key"], (reason["key"],))[0]
    words_of = health_texts.OCCASIONS if reason["key"] == "few" else FIELD_TEXTS
    names = [words_of.get(field, (field,))[0] for field in reason.get("fields", [])]
    have, need = (f"{reason.get(name, 0):g}" for name in ("have", "need"))
    return words.format(have=have, need=need, step=reason.get("step", 0), fields=", ".join(names))


def _trend(trend: dict[str, Any] | None, unit: str) -> str:
    if trend is None:
        return "no trend yet"
    ahead = "" if trend["weeks_to_bad"] is None else f", bad in {trend['weeks_to_bad']} weeks"
    return f"{trend['direction']} {trend['per_week']:+g} {unit} a week over {trend['days']} days{ahead}"

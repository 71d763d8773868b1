"""The command `liftwatch provision`: a node's settings from options, checked as the node will, into a file or onto the board."""

import copy
import json
import pathlib
import sys
import tempfile
import time
from typing import Any

import click

from firmware import profiles
from firmware.node.settings import Settings
from firmware.provision import builder, tls_files
from firmware.provision.builder import Data, find, put
from protocols.errors import SettingsError

# {option: entry} of those that are taken as they come.
PLAIN = {
    "site": "site", "lift": "lift", "user": "broker.user", "server_name": "broker.tls.server_name", "profile": "profile",
    "baud": "bus.baud", "unit": "bus.unit", "stops": "car.stops", "doors": "car.doors", "rated_speed": "car.rated_speed_mm_s",
    "travel": "car.travel_mm", "wifi": "wifi.ssid", "metered": "metered",
}  # fmt: skip
HINTS = {entry: "--" + option.replace("_", "-") for option, entry in PLAIN.items()} | {
    "broker.host": "--broker",
    "broker.tls.ca": "--ca",
}
TLS = ("ca", "certificate", "key")
SETTINGS = "/settings.json"


def _file(*, writable: bool = False) -> click.Path:
    return click.Path(dir_okay=False, path_type=pathlib.Path, writable=writable)


def _list(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if asked:
        click.echo("\n".join(builder.entries(profiles.load(profiles.names()[0]))))
        click.echo(f"profiles: {', '.join(profiles.names())}")
        context.exit()


@click.command()
@click.option("--site", help="our own id of the house: a-z, 0-9, '-'")
@click.option("--lift", help="our own id of the lift")
@click.option("--broker", metavar="HOST[:PORT]")
@click.option("--user", help="user at the broker, if it wants one; its password is asked for")
@click.option("--password-file", type=_file(), help="or is read from here")
@click.option("--ca", type=_file(), help="certificate of the authority that signed the broker's: TLS")
@click.option("--certificate", type=_file(), help="the node's own, if the broker wants one")
@click.option("--key", type=_file(), help="its key")
@click.option("--server-name", help="name in the broker's certificate, if it is not HOST")
@click.option("--profile", help="register profile of the controller")
@click.option("--baud", type=int)
@click.option("--unit", type=int, help="the controller's address on the bus")
@click.option("--stops", type=int)
@click.option("--doors", type=int, help="1 or 2")
@click.option("--rated-speed", type=int, metavar="MM/S")
@click.option("--travel", type=int, metavar="MM", help="from the lowest landing to the highest")
@click.option("--wifi", metavar="SSID", help="its key is asked for")
@click.option("--wifi-key-file", type=_file(), help="or is read from here")
@click.option("--metered/--unmetered", default=None, help="a link that pays for each byte")
@click.option("--set", "more", multiple=True, metavar="ENTRY=VALUE", help="any other entry; VALUE is JSON or a text")
@click.option("--list", is_eager=True, is_flag=True, expose_value=False, callback=_list, help="name all entries")
@click.option("--from", "source", type=_file(), help="begin with the settings in this file, such as the predecessor's")
@click.option(
    "--replace", is_flag=True, help="it stands in for another node: goes on beyond it; what its log holds is erased"
)
@click.option("--out", type=_file(writable=True), help="write the file here")
@click.option("--port", metavar="DEVICE", help="put it on the board at this serial port, and start it")
def provision(source: pathlib.Path | None, out: pathlib.Path | None, port: str | None, **given: Any) -> None:
    """Write a node's settings, checked by the node's own code.

    \b
    Examples:
      liftwatch provision --site hefang-yuan --lift lift-2 --broker mqtt.example.org --ca ca.pem --profile nice3000 \\
        --stops 6 --rated-speed 1000 --travel 14500 --out lift-2.json
      liftwatch provision --from lift-2.json --replace --port /dev/ttyUSB0
      liftwatch provision --from lift-2.json --set pins.button=32 --set inputs.door_zone='{"address": 4117, "bit": 2}' --out lift-2.json
    """  # noqa: D301  click's mark for text that keeps its lines
    if (out is None) == (port is None):
        raise click.UsageError("give --out FILE or --port DEVICE")
    try:
        predecessor = None if source is None else _read(source)
        data = _with_options(predecessor or {}, given)
        files = {name: given[name] for name in TLS if given[name] is not None}
        tls_files.check(files)
        for name, path in files.items():
            put(data, f"broker.tls.{name}", _on_board(name, path) if port else str(path.absolute()))
        if (
            given["replace"]
            and predecessor
            and any(find(data, name) != find(predecessor, name) for name in ("site", "lift"))
        ):
            raise SettingsError(
                "--replace: a node stands in for another one at the same lift; without it this is a new lift"
            )
        data["time_floor_s"] = builder.time_floor(int(time.time()), predecessor, replaces=given["replace"])
        settings = builder.checked(data, profiles.load)
        if out is not None:
            _write(out, data, settings, source)
            click.echo(f"written to {out}, which others cannot read")
        else:
            assert port is not None
            _put_on_board(port, data, settings, files, replaces=given["replace"])
    except SettingsError as error:
        raise click.ClickException(f"{error}{_hint(str(error))}") from error
    _tell(settings, given["replace"])


def _hint(error: str) -> str:
    """The option for the entry with which an error begins: "ENTRY is …" or "ENTRY: …"."""
    entry, _, rest = error.partition(" ")
    option = HINTS.get(entry.removesuffix(":")) if entry.endswith(":") or rest.startswith("is ") else None
    return f"; see {option}" if option else ""


def _read(path: pathlib.Path) -> Data:
    try:
        data = json.loads(path.read_text())
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(f"{path} is no JSON: {error}") from error
    if not isinstance(data, dict):
        raise SettingsError(f"{path} is no JSON object")
    return data


def _with_options(begun: Data, given: dict[str, Any]) -> Data:
    """What `begun` holds, with what is `given` in its place."""
    data = copy.deepcopy(begun)
    for option, entry in PLAIN.items():
        if given[option] is not None:
            put(data, entry, given[option])
    if given["broker"] is not None:
        host, separator, port = given["broker"].partition(":")
        put(data, "broker.host", host)
        if separator and not port.isdigit():
            raise SettingsError(f"--broker {given['broker']}: HOST or HOST:PORT is needed")
        if separator:
            put(data, "broker.port", int(port))
    for word in given["more"]:
        _set(data, word)
    if given["user"] is not None or given["password_file"] is not None:
        what = f"password of {find(data, 'broker.user')} at the broker"
        put(data, "broker.password", _secret(what, given["password_file"], "--password-file"))
    if given["wifi"] is not None or given["wifi_key_file"] is not None:
        put(data, "wifi.key", _secret(f"key of {find(data, 'wifi.ssid')}", given["wifi_key_file"], "--wifi-key-file"))
    return data


def _set(data: Data, word: str) -> None:
    """ENTRY=VALUE of --set."""
    entry, separator, text = word.partition("=")
    if not separator:
        raise SettingsError(f"--set {word}: ENTRY=VALUE is needed, as pins.button=32")
    if entry == "time_floor_s":
        raise SettingsError("--set time_floor_s: it is the time at which this command runs")
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    alone: Data = {}
    put(alone, entry, value)
    for secret in builder.SECRETS:
        if find(alone, secret) is not None:
            raise SettingsError(
                f"--set {secret}: others can read what is typed there; it is asked for, or read from a file"
            )
    put(data, entry, value)


def _secret(what: str, path: pathlib.Path | None, option: str) -> str:
    """From the file at `path`, or from whoever sits at the terminal, without an echo."""
    if path is not None:
        try:
            return path.read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{option}: {path} cannot be read: {error}") from error
    if not sys.stdin.isatty():
        raise SettingsError(f"the {what} is needed, and there is nobody to ask; see {option}")
    return str(click.prompt(what, hide_input=True, default="", show_default=False))


def _on_board(name: str, path: pathlib.Path) -> str:
    return f"/{name}{path.suffix}"


def _write(path: pathlib.Path, data: Data, settings: Settings, source: pathlib.Path | None) -> None:
    """As a whole or not at all; only its owner may read it, for it holds passwords."""
    if path.exists() and (source is None or not path.samefile(source)):
        try:
            there = _read(path)
        except SettingsError:
            there = {}
        if (there.get("site"), there.get("lift")) != (settings.site, settings.lift):
            raise SettingsError(f"{path} is there already, and not of this lift; write to another")
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    try:
        with tempfile.NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}-", delete=False) as file:
            try:
                file.write(text)
                file.flush()
                pathlib.Path(file.name).replace(path)
            except OSError:
                pathlib.Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise SettingsError(f"{path} cannot be written: {error.strerror}") from error


def _put_on_board(port: str, data: Data, settings: Settings, files: dict[str, pathlib.Path], *, replaces: bool) -> None:
    try:
        # A file can be written without mpremote.
        from firmware.provision.board import Board, BoardError  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise click.ClickException(
            f"--port needs {error.name}; install it with: pip install 'liftwatch[provision]'"
        ) from error

    try:
        with Board(port) as board:
            _check_board(board, settings, replaces=replaces)
            for name in TLS:
                path_there = find(data, f"broker.tls.{name}")
                if name not in files and path_there is not None and board.read(path_there) is None:
                    raise SettingsError(f"broker.tls.{name}: {path_there} is not on the board; give --{name} FILE")
            # Before the settings: a log must never lie beside those of another lift.
            if replaces:
                board.erase_log()
            for name, path in files.items():
                board.write(_on_board(name, path), tls_files.read(path, f"broker.tls.{name}"))
            board.write(f"/profiles/{settings.profile.name}.json", profiles.text(settings.profile.name).encode())
            # Last: until then the node is what it was.
            board.write(SETTINGS, json.dumps(data, separators=(",", ":")).encode())
            board.restart()
    except BoardError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"on the board at {port}, which starts now; see it: mpremote connect {port} repl")


def _check_board(board: Any, settings: Settings, *, replaces: bool) -> None:
    """Whose log lies on it? One lift's must never be told as another's, and one's own is not thrown away by mistake."""
    try:
        there = json.loads(board.read(SETTINGS) or b"{}")
        whose = (there.get("site"), there.get("lift"))
    except (ValueError, AttributeError):
        whose = (None, None)
    if whose == (settings.site, settings.lift):
        if replaces:
            raise SettingsError(
                f"this board is the node of {settings.lift} at {settings.site} already: leave --replace away, which would erase its log"
            )
    elif not replaces and board.log_files():
        known = f"it was the node of {whose[1]} at {whose[0]}" if whose[1] else "nothing on it says of which lift"
        raise SettingsError(f"there is a log on this board, and {known}: --replace erases it")


def _tell(settings: Settings, replaces: bool) -> None:
    where = f"{settings.host}:{settings.port}{' with TLS' if settings.tls else ''}"
    click.echo(f"{settings.lift} at {settings.site}: {where}, profile {settings.profile.name}, {settings.stops} stops")
    if replaces:
        click.echo(f"its boots begin at {settings.first_boot}, beyond its predecessor's")
    if not settings.tls:
        click.echo(
            "without --ca what it sends can be read and changed on the way, its password too: for a bench only",
            err=True,
        )

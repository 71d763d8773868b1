"""How the commands of `liftwatch gateway …` ask a running gateway on its loopback port. It knows no route."""

import json
import pathlib
import urllib.error
import urllib.request
from typing import Any

import click

from gateway.config import load
from gateway.errors import ConfigError

TIMEOUT_S = 30.0


def url_of(path: pathlib.Path | None, url: str | None) -> str:
    """Where the gateway of gateway.toml `path`, or at `url`, listens; a click error says what to say instead."""
    if url is None:
        if path is None:
            raise click.UsageError("say --config gateway.toml, or --url of its metrics")
        try:
            port = load(path).metrics.port
        except ConfigError as error:
            raise click.ClickException(str(error)) from error
        if not port:
            raise click.UsageError("this gateway.toml leaves the port of the metrics open; say --url as it printed it")
        url = f"http://127.0.0.1:{port}"
    return url.rstrip("/").removesuffix("/metrics")


def ask(url: str, body: dict[str, Any] | None = None) -> Any:
    """The JSON answer to a GET, or to a POST of `body`; a click error tells the gateway's own words, or that none answers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise click.ClickException(error.read().decode(errors="replace")[:500]) from None
    except OSError as error:
        raise click.ClickException(f"no gateway answers at {url} ({error}); does it run?") from None

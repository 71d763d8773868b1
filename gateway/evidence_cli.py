"""The command `liftwatch evidence`: writes the signed chain of an incident to a file, or checks such a file anywhere."""

import json
import pathlib

import click

from gateway import evidence as chain
from gateway.clock import unix_ms
from gateway.config import load
from gateway.errors import GatewayError


@click.command()
@click.argument("incident", required=False)
@click.option("--config", "path", type=click.Path(path_type=pathlib.Path), help="gateway.toml of the gateway to ask")
@click.option(
    "--out", type=click.Path(path_type=pathlib.Path), help="where to write it; without it evidence-INCIDENT.json"
)
@click.option("--public-key", is_flag=True, help="print the gateway's public key and nothing else")
@click.option("--verify", "file", type=click.Path(path_type=pathlib.Path), help="check this file; needs no gateway")
@click.option("--key", help="the public key you trust, as --public-key printed it at commissioning")
def evidence(
    incident: str | None,
    path: pathlib.Path | None,
    out: pathlib.Path | None,
    public_key: bool,
    file: pathlib.Path | None,
    key: str | None,
) -> None:
    """Export what proves how one INCIDENT was delivered, or verify such an export.

    \b
    Examples:
      liftwatch evidence lift-2-17-4 --config gateway.toml
      liftwatch evidence --public-key --config gateway.toml
      liftwatch evidence --verify evidence-lift-2-17-4.json --key BASE64
    """  # noqa: D301  click's mark for text that keeps its lines
    try:
        if file is not None:
            _verify(file, key)
            return
        if path is None or (incident is None and not public_key):
            raise click.UsageError("say INCIDENT and --config, or --verify FILE; see --help")
        config = load(path)
        data_dir = pathlib.Path(config.gateway.data_dir)
        if public_key or incident is None:
            click.echo(chain.public_text(chain.signing_key(data_dir).public_key()))
            return
        document = chain.export(data_dir, config.gateway.id, incident, unix_ms())
        target = out or pathlib.Path(f"evidence-{incident}.json")
        target.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
        click.echo(chain.summary(document))
        click.echo(f"written {target}")
    except (GatewayError, OSError) as error:
        raise click.ClickException(str(error)) from error


def _verify(file: pathlib.Path, key: str | None) -> None:
    document = chain.load(file)
    wrong = chain.verify(document, key)
    if wrong:
        raise click.ClickException("it does not hold:\n  " + "\n  ".join(wrong))
    click.echo(chain.summary(document))
    click.echo("the chain and the signature hold")
    if key is None:
        click.echo(
            f"signed with {document['head']['public_key']}: compare it with the key noted at commissioning (--key)"
        )

"""The one command. It starts a part and does nothing else; a part that is not installed says which extra it needs."""

import importlib
from typing import NamedTuple

import click


class Part(NamedTuple):
    """Where a command lives, the extra that it needs, and what it does in a line."""

    module: str
    attribute: str
    extra: str
    text: str


PARTS = {
    "demo": Part(
        "hil_tests.demo.cli", "demo", "bench,gateway,cloud", "the whole chain with lift twins, on this machine"
    ),
    "inject": Part("hil_tests.bench.cli", "inject", "bench", "break a lift of a running demo or bench"),
    "gateway": Part("gateway.cli", "gateway", "gateway", "MQTT in; journal, city platforms, cloud, InfluxDB out"),
    "evidence": Part(
        "gateway.evidence_cli", "evidence", "gateway", "export the signed chain of one incident, or verify it"
    ),
    "cloud": Part("cloud.cli", "cloud", "cloud", "live page, incidents and API"),
    "audit": Part("cloud.audit.cli", "audit", "cloud", "check the chain of the cloud's audit log"),
    "twin": Part("hil_tests.bench.cli", "twin", "bench", "serve lift twins on serial lines"),
    "city-mock": Part("hil_tests.city_mock.cli", "city_mock", "bench", "play a city platform, in good moods and bad"),
    "provision": Part(
        "firmware.provision.cli", "provision", "provision", "write a node's settings, into a file or onto its board"
    ),
    "backtest": Part(
        "hil_tests.backtest.cli", "backtest", "bench", "run the detector over recordings, against their labels"
    ),
    "bench": Part("hil_tests.measure.cli", "bench", "bench,gateway,cloud", "measure: latency, kill, bus, faults"),
}


class Parts(click.Group):
    """Imports a part only when it is asked for, so that a gateway box needs no web stack."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of use."""
        return list(PARTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now; a missing package is told with the extra that brings it."""
        part = PARTS.get(cmd_name)
        if part is None:
            return None
        try:
            command: click.Command = getattr(importlib.import_module(part.module), part.attribute)
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"`liftwatch {cmd_name}` needs {error.name}; install it with: pip install 'liftwatch[{part.extra}]'"
            ) from error
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the parts without importing one."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, part.text) for name, part in PARTS.items()])


@click.group(cls=Parts)
@click.version_option(package_name="liftwatch")
def main() -> None:
    """Gateway and cloud monitor for lifts retrofitted to existing apartment houses.

    \b
    Examples:
      liftwatch demo --lifts 6
      liftwatch inject lift-2 trapped_between_floors
      liftwatch gateway --config gateway.toml
      liftwatch COMMAND --help
    """  # noqa: D301  click's mark for text that keeps its lines


if __name__ == "__main__":
    main()

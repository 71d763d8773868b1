"""The one command. It starts a part and does nothing else; a part that is not installed says which extra it needs."""

import importlib

import click

# command: (module, attribute, extra that it needs)
PARTS = {
    "demo": ("hil_tests.demo.cli", "demo", "bench,gateway,cloud"),
    "gateway": ("gateway.cli", "gateway", "gateway"),
    "cloud": ("cloud.cli", "cloud", "cloud"),
    "twin": ("hil_tests.bench.cli", "twin", "bench"),
    "inject": ("hil_tests.bench.cli", "inject", "bench"),
    "city-mock": ("hil_tests.city_mock.cli", "city_mock", "bench"),
    "bench": ("hil_tests.measure.cli", "bench", "bench,gateway,cloud"),
}


class Parts(click.Group):
    """Imports a part only when it is asked for, so that a gateway box needs no web stack."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(PARTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in PARTS:
            return None
        module, attribute, extra = PARTS[cmd_name]
        try:
            command: click.Command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            raise click.ClickException(
                f"`liftwatch {cmd_name}` needs {error.name}; install it with: pip install 'liftwatch[{extra}]'"
            ) from error
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, f"see liftwatch {name} --help (extra: {extra})") for name, (_, _, extra) in PARTS.items()])


@click.group(cls=Parts)
@click.version_option(package_name="liftwatch")
def main() -> None:
    """Gateway and cloud monitor for lifts retrofitted to existing apartment houses.

    Example: liftwatch demo --lifts 6
    """


if __name__ == "__main__":
    main()

"""What axe-core finds wrong in a page: its own file of the page's development packages, run in the page as it stands."""

import pathlib
from typing import Any

SOURCE = pathlib.Path(__file__).parents[1] / "web" / "node_modules" / "axe-core" / "axe.min.js"


def violations(page: Any) -> list[str]:
    """One line for each: rule, and where."""
    page.evaluate(SOURCE.read_text())  # from outside: the page's policy lets no page do this
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{rule['id']}: {node['target']} {node.get('failureSummary', '')[:160]}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]

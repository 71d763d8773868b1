"""Settings of all tests: hypothesis must not judge how fast a shared machine is, and CI runs the same examples each time."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# New examples are for those who can look at them; a failure found there becomes a test of its own.
settings.register_profile("ci", settings.get_profile("here"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that wait for real servers first, what only computes behind them.

    Beside each other they leave the cores to one another, so that their bounds of time hold; the longest of them is not left over
    at the end, when one worker has nothing to do; and nothing that takes a whole core, or two, runs beside them for long.
    """
    waiting = {item.path for item in items if item.get_closest_marker("chain")}
    items.sort(key=lambda item: item.path not in waiting)

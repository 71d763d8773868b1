"""The detector's own tests once more, in the gateway's place: each sample goes through a terminal's pace, the wire and back."""

import importlib
from types import ModuleType

import pytest

from gateway.tests.on_the_wire import GATEWAY
from protocols.tests import place

MODULES = ("test_detector", "test_detector_hard_cases", "test_detector_catalogue", "test_work_mode")


def _tests() -> list[tuple[ModuleType, str]]:
    modules = [importlib.import_module(f"protocols.tests.both.{name}") for name in MODULES]
    return [(module, name) for module in modules for name in vars(module) if name.startswith("test_")]


@pytest.mark.parametrize(("module", "name"), [pytest.param(*test, id=test[1]) for test in _tests()])
def test_the_gateway_finds_what_the_node_finds(module: ModuleType, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "here", GATEWAY)
    getattr(module, name)()


def test_the_set_is_large() -> None:
    assert len(_tests()) > 50

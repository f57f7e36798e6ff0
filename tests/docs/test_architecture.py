"""The page about the architecture shows the layers that the linter checks."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


_HOOK = Path(__file__).parents[2] / "docs" / "_hooks" / "layers.py"

pytestmark = pytest.mark.skipif(not _HOOK.exists(), reason="runs where the documentation is")


@pytest.fixture
def layers(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import the script that draws the picture."""
    spec = importlib.util.spec_from_file_location("layers", _HOOK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "layers", module)
    spec.loader.exec_module(module)
    return module


def test_picture_is_drawn_from_the_contract(layers: ModuleType) -> None:
    """The picture is the one that `python docs/_hooks/layers.py` writes now."""
    assert layers.draw(layers.rooms()) == layers.PICTURE.read_text(encoding="utf-8")


def test_every_room_says_what_it_is_for(layers: ModuleType) -> None:
    """Each folder and module of the contract has a sentence for its box."""
    assert [] == [room.name for layer in layers.rooms() for room in layer if not room.words]

from __future__ import annotations

import types

import pytest

import iprog_async
import iprog_async.adapter


@pytest.mark.parametrize("module", [iprog_async, iprog_async.adapter])
def test_all_names_every_public_thing(module: types.ModuleType) -> None:
    """`__all__` is complete: whatever has no underscore and is no module is in it."""
    public = {
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }

    assert set(module.__all__) == public


@pytest.mark.parametrize("module", [iprog_async, iprog_async.adapter])
def test_all_is_sorted_and_says_nothing_twice(module: types.ModuleType) -> None:
    """Constants first, then classes, then functions, each in order: as isort sorts names."""

    def kind(name: str) -> tuple[int, str]:
        return (0 if name.isupper() else 1 if name[0].isupper() else 2), name

    assert sorted(set(module.__all__), key=kind) == list(module.__all__)


CALLABLE = [
    name
    for name in iprog_async.__all__
    if isinstance(getattr(iprog_async, name), (type, types.FunctionType))
]


@pytest.mark.parametrize("name", CALLABLE)
def test_every_class_and_function_is_documented(name: str) -> None:
    """What is public has a docstring of its own, and not one that attrs or Python made up."""
    words = getattr(iprog_async, name).__doc__ or ""

    assert words.strip().endswith(".") or "Args:" in words

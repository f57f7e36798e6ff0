from __future__ import annotations

import pkgutil
import re
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

import iprog_async
import iprog_async.adapter
import iprog_async.codes
import iprog_async.inbound
import iprog_async.otel
import iprog_async.outbox
import iprog_async.sandbox
import iprog_async.sync
import iprog_async.testing
import iprog_async_providers.infopromo
import iprog_async_providers.iprog
import iprog_async_providers.ugsms


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


_OURS = [iprog_async, iprog_async.adapter, iprog_async.testing, iprog_async.sandbox]
_NOBODY_NAMES_THEM = {
    # Arguments of classes that users get and never make.
    "Admissions",
    "BulkOptions",
    "ClosablePages",
    "JournalStore",
    "ReadNumber",
    "ResumeRules",
    "SuppressionStore",
    "Observers",
    # What an adapter passes on without looking.
    "Throttle",
    "Redactor",
    # What a client takes from its journal and gives to its pool.
    "SharedLimits",
    # What the fleet asks of a client.
    "Preparation",
    "SharedRun",
    # A type variable.
    "P_co",
    # `type[BaseProvider]`, and "a client or its provider".
    "HasProvider",
    "ProviderType",
}


def _annotations(module: types.ModuleType) -> Iterator[tuple[str, str]]:
    """Yield the public annotations of a module, each with where it stands."""
    for name in module.__all__:
        thing: object = getattr(module, name)
        yield from _of(thing, name)
        for member, value in vars(thing).items() if isinstance(thing, type) else ():
            if not member.startswith("_") or member == "__init__":
                function = getattr(value, "__func__", getattr(value, "fget", value))
                yield from _of(function, f"{name}.{member}")


def _of(thing: object, where: str) -> Iterator[tuple[str, str]]:
    for argument, annotation in getattr(thing, "__annotations__", {}).items():
        if not argument.startswith("_"):
            yield str(annotation), f"{where}: {argument}"


@pytest.mark.parametrize("module", [iprog_async, iprog_async.adapter])
def test_types_in_public_signatures_can_be_imported(module: types.ModuleType) -> None:
    """Whoever passes one of our types on can name it without a private module."""
    named = {name for ours in _OURS for name in ours.__all__} | _NOBODY_NAMES_THEM
    private = {
        name
        for path in Path(iprog_async.__path__[0]).glob("_*/*.py")
        for name in re.findall(r"^(?:class )?([A-Z]\w+)(?: = |[(:])", path.read_text("utf-8"), re.M)
    }

    hidden = {
        f"{word} in {where}"
        for annotation, where in _annotations(module)
        for word in re.findall(r"\w+", annotation)
        if word in private - named
    }

    assert {"Receipt", "Suppress"} <= private
    assert set() == hidden


_BEFORE = Path(__file__).parent.parent / "samples" / "public_names.txt"


def _is_there(name: str) -> bool:
    """Return whether a dotted name leads somewhere; a field without a default is no attribute."""
    owner, _, member = name.rpartition(".")
    try:
        thing: object = pkgutil.resolve_name(owner)
    except (AttributeError, ImportError):
        return False
    fields = attrs.fields_dict(thing) if isinstance(thing, type) and attrs.has(thing) else {}
    return hasattr(thing, member) or member in fields


def test_what_was_public_still_is() -> None:
    """Apps and adapters of version 0.1.0 find every name that they may use."""
    before = _BEFORE.read_text("utf-8").split()

    assert len(before) > 900
    assert [] == [name for name in before if not _is_there(name)]


_PACKAGES = [
    *_OURS,
    iprog_async.otel,
    iprog_async.codes,
    iprog_async.inbound,
    iprog_async.outbox,
    iprog_async.sync,
    iprog_async_providers.infopromo,
    iprog_async_providers.iprog,
    iprog_async_providers.ugsms,
]


@pytest.mark.parametrize("package", _PACKAGES, ids=lambda package: package.__name__)
def test_what_is_exported_names_no_private_module(package: types.ModuleType) -> None:
    """Tracebacks show, and pickles hold, what users import: where it is written may change."""
    exported: dict[str, Any] = {name: vars(package)[name] for name in package.__all__}
    modules = {
        name: thing.__module__ for name, thing in exported.items() if hasattr(thing, "__qualname__")
    }

    assert {} == {name: module for name, module in modules.items() if "._" in module}


_KNOWN_TO_CHECKERS_ONLY = {"PreparedMessage", "SandboxGateway", "SandboxState"}


@pytest.mark.parametrize("package", _PACKAGES, ids=lambda package: package.__name__)
def test_converters_find_the_types_of_fields(package: types.ModuleType) -> None:
    """The annotations of values have their meaning with them, as cattrs and others need it."""
    for name in {*package.__all__} - _KNOWN_TO_CHECKERS_ONLY:
        value: object = vars(package)[name]
        if isinstance(value, type) and attrs.has(value):
            hints = typing.get_type_hints(value)
            assert {field.name for field in attrs.fields(value)} <= {*hints}

"""What is for synchronous code has what the async classes have, and says the same of it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

import pytest

import iprog_async
from iprog_async import codes, sync


PAIRS: dict[str, tuple[type, type]] = {
    "SmsClient": (iprog_async.SmsClient, sync.SmsClient),
    "BulkRun": (iprog_async.BulkRun, sync.BulkRun),
    "Journal": (iprog_async.Journal, sync.Journal),
    "Suppressions": (iprog_async.Suppressions, sync.Suppressions),
    "Codes": (codes.Codes, sync.Codes),
}
# What only the library uses, what lives in a loop, and what has another name here.
ONLY_THERE = {
    "SmsClient": {"provider", "journal", "suppressions", "aclose"},
    "BulkRun": {"aclose"},
    "Journal": {
        *("begin_run", "end_run", "enqueue_sync", "forget_closed", "hash", "in_this_process"),
        *("limits", "open_aside", "report"),
    },
    "Suppressions": {"among", "is_quick", "place", "read_number"},
    "Codes": {"aclose"},
}
ONLY_HERE = {
    "SmsClient": {"call", "close", "here"},
    "BulkRun": {"close", "counts"},
    "Journal": {"asynchronous"},
}
# What users make by the class itself, with the arguments that a process can't make anew.
MADE = {"SmsClient": {"pool", "http"}, "Codes": {"store"}}
# What stands here for a type that has an async form.
OTHER_TYPES = {
    "Journal | None": "AnyJournal | None",
    "Journal | str | os.PathLike[str] | None": "AnyJournal | None",
    "Messages": "Iterable[Message]",
    "Suppressions | None": "AnySuppressions | None",
    "SupportsMessageList | HasProvider": "HasClient",
}
# Errors that have other causes here; each is documented in both forms, or in one alone.
OTHER_CAUSES = {
    # Only there the pool and the HTTP client are arguments.
    ("SmsClient", ""): {"ConfigurationError"},
    # Each takes the client of its own form.
    ("Journal", "reconcile"): {"ConfigurationError"},
    # The client has to be open only here, where another thread does the reading.
    ("SmsClient", "plan_many"): {"ClientClosedError"},
    # The client opens its journal only here.
    ("Codes", ""): {"JournalError"},
}


def members(cls: type) -> dict[str, Any]:
    """Return what is public in a class and in its bases."""
    return {
        name: getattr(cls, name)
        for base in cls.__mro__
        if base.__module__.startswith("iprog_async")
        for name in vars(base)
        if not name.startswith("_")
    }


METHODS = [
    (name, method)
    for name, (there, here) in PAIRS.items()
    for method, value in sorted(members(there).items())
    if method in members(here) and callable(value)
]


def arguments(call: Any, *, but: set[str], other_types: Mapping[str, str]) -> list[object]:
    """Return what is passed and what comes back, as it is written."""
    signature = inspect.signature(call)
    passed: list[object] = [
        (one.name, one.kind, one.default, other_types.get(one.annotation, one.annotation))
        for one in signature.parameters.values()
        if one.name not in but
    ]
    return [*passed, str(signature.return_annotation).replace("AsyncIterator", "Iterator")]


def errors(owner: object) -> dict[str, str]:
    """Return what a docstring says of each error."""
    _, _, told = (inspect.getdoc(owner) or "").partition("\nRaises:\n")
    entries = re.findall(r"^ {4}(\w+): (.*(?:\n {8}.*)*)", told.partition("\n\n")[0], re.MULTILINE)
    return {name: " ".join(words.split()) for name, words in entries}


@pytest.mark.parametrize("name", PAIRS)
def test_each_class_has_what_the_async_one_has(name: str) -> None:
    """What is missing, or is there besides, is so for a reason."""
    there, here = (set(members(cls)) for cls in PAIRS[name])

    assert ONLY_THERE.get(name, set()) == there - here
    assert ONLY_HERE.get(name, set()) == here - there


@pytest.mark.parametrize(("name", "method"), METHODS)
def test_each_method_is_called_alike(name: str, method: str) -> None:
    """With the same arguments, defaults and types, in the same order, and with the same result."""
    there, here = (getattr(cls, method) for cls in PAIRS[name])

    expected = arguments(there, but=set(), other_types=OTHER_TYPES)
    assert expected == arguments(here, but=set(), other_types={})


@pytest.mark.parametrize("name", MADE)
def test_each_class_is_made_alike(name: str) -> None:
    """Of the arguments only those are missing that belong to one loop."""
    there, here = PAIRS[name]

    expected = arguments(there, but=MADE[name], other_types=OTHER_TYPES)
    assert expected == arguments(here, but=set(), other_types={})


@pytest.mark.parametrize(("name", "method"), [*METHODS, *((name, "") for name in MADE)])
def test_each_says_the_same_of_errors(name: str, method: str) -> None:
    """Whoever writes `except` reads the same of each, and besides of a loop in the thread."""
    there, here = (errors(getattr(cls, method) if method else cls) for cls in PAIRS[name])
    for other in OTHER_CAUSES.get((name, method), set()):
        assert there.pop(other, "") != here.pop(other, "")
    for told in (there, here):
        # One is told of a loop that is another one, and one of a loop that is there at all.
        told.pop("WrongLoopError", None)

    assert [*there.items()] == [*here.items()]


def test_errors_are_found_in_docstrings() -> None:
    """What is compared is all that is said of them, over the ends of lines."""
    assert {
        "UnsupportedError": "This gateway tells no balance.",
        "ClientClosedError": "The client was closed.",
        "WrongLoopError": "The client belongs to another event loop.",
        "ConnectionFailedError": "It can't be reached; ask again.",
        "NoAnswerError": "It gave no trustworthy answer; ask again.",
        "ProviderError": "It refused to tell.",
    } == errors(iprog_async.SmsClient.balance)
    assert errors(iprog_async.Journal.open)["JournalError"].endswith("this release works with.")

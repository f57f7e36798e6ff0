from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from types import ModuleType
from typing import Any, cast

import pytest
from support.core.pattern_shapes import Use, slow_parts

import iprog_async
import iprog_async_providers


# What they read is not a stranger's, or never long.
LEFT_OUT = {
    "iprog_async._http.acceptance._NAME_PARTS": "of a key it reads the first 100 characters",
    "iprog_async._providers.url._GROUP": "an address that the user has written",
    "iprog_async.cli._errors.veil._ADDRESS": "words that the user has typed",
    "iprog_async.cli._errors.veil._HARMLESS": "words that the user has typed",
}


@cache
def modules() -> tuple[ModuleType, ...]:
    """Return all modules of the library and of the gateways that are there."""
    found: list[ModuleType] = []
    for package in (iprog_async, iprog_async_providers):
        for each in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            # What belongs to an extra that is not installed can't be looked at.
            with suppress(ImportError):
                if not each.name.endswith("__main__"):
                    found.append(importlib.import_module(each.name))
    return tuple(found)


def patterns_in(value: object) -> Iterator[tuple[re.Pattern[Any], bool]]:
    """Yield the compiled patterns in a value, and whether each is that of a refusal."""
    if isinstance(value, re.Pattern):
        yield value, False
    elif isinstance(value, Mapping):
        yield from patterns_in(tuple(cast("Mapping[object, object]", value).values()))
    elif isinstance(value, (tuple, list, frozenset, set)):
        for each in cast("Iterable[object]", value):
            yield from patterns_in(each)
    elif isinstance(text := getattr(value, "text", None), re.Pattern):
        yield text, True


def use_of(name: str, module: ModuleType) -> Use:
    """Return how a module uses a pattern of its own; a search is the most that there is."""
    calls = rf"\b{name}(?:\[\w+\])?\.(search|match|fullmatch|sub|findall|finditer|split)\b"
    used = set(re.findall(calls, inspect.getsource(module)))
    if used == {"fullmatch"}:
        return "whole"
    return "front" if used and used <= {"fullmatch", "match"} else "search"


def slow_patterns() -> Iterator[tuple[str, str]]:
    """Yield the patterns that take too long, and where they are."""
    seen: set[int] = set()
    for module in modules():
        for name, value in vars(module).items():
            for pattern, of_refusal in patterns_in(value):
                if id(pattern) not in seen:
                    seen.add(id(pattern))
                    # A row of a table has to match the whole text; where nothing is at stake, it
                    # is looked for in a short one.
                    use: Use = "whole" if of_refusal else use_of(name, module)
                    if slow_parts(pattern, use):
                        yield f"{module.__name__}.{name}", str(pattern.pattern)


@pytest.mark.slow
def test_no_pattern_looks_at_a_long_text_again_and_again() -> None:
    """One answer, or one text of a stranger, would stop the event loop for all others."""
    assert LEFT_OUT.keys() == dict(slow_patterns()).keys()


SLOW: list[tuple[str, Use]] = [
    (r"^\W*\*\W*$", "search"),
    (r"\bid\s*[:=#]?\s*(?=\d)", "search"),
    (r"id(?=[\w-]*\d)", "search"),
    (r"[\W_0]*(null)?[\W_0]*", "whole"),
    (r"\s*x", "search"),
    (r"<t[^>]*>(.*?)</t", "search"),
    (r"(\w+,?)*", "whole"),
    (r"a\s+(?![\s\S]*b)c", "whole"),
    (r"\(.*\)(\?\S*)?", "whole"),
]
FAST: list[tuple[str, Use]] = [
    (r"^[^\w*]*\*\W*$", "search"),
    (r"\bid\s*+(?:[:=#]\s*)?(?=\d)", "search"),
    (r"[\W_0]*+(null)?[\W_0]*", "whole"),
    (r"\s*x", "whole"),
    (r"\s*", "search"),
    (r"\boperat\w+\b", "search"),
    (r"(?<![\w-])[\w-]++:", "search"),
    (r"<t[^<>]*>([^<]*)</t", "search"),
    (r"\w+(,\w+)*", "whole"),
    (r"(?s)a\W*(\|.*)?", "whole"),
    (r"[^\W_]+(?:'[^\W_]+)?", "search"),
    (r"\d{1,9}\d{1,9}", "search"),
]


@pytest.mark.parametrize(("pattern", "use"), SLOW)
def test_what_takes_the_square_of_a_length_is_found(pattern: str, use: Use) -> None:
    """Each of these takes seconds for what a gateway may answer."""
    assert slow_parts(re.compile(pattern), use)


@pytest.mark.parametrize(("pattern", "use"), FAST)
def test_what_goes_over_a_text_once_is_left_alone(pattern: str, use: Use) -> None:
    """A search for what is not there is no fault."""
    assert not slow_parts(re.compile(pattern), use)

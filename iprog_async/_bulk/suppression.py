"""Numbers that are never texted, from wherever the caller keeps them."""

from __future__ import annotations

import asyncio
import inspect
import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import cast

from iprog_async._core.errors import ConfigurationError, SmsError
from iprog_async._core.messages import PreparedMessage
from iprog_async._providers.numbers import read_listed_number
from iprog_async._providers.protocols import SmsProvider


Suppress = Iterable[str] | str | os.PathLike[str] | Callable[[str], object]
"""What users pass as `suppress=`."""

IsSuppressed = Callable[[str], object]
RowIsSuppressed = Callable[[PreparedMessage], object]

_CHECKED_AT_ONCE = 256


class AskedBefore(ABC):
    """What was said of each message of a run before it got there."""

    @abstractmethod
    def is_suppressed(self, prepared: PreparedMessage) -> object:
        """Return the answer for a message, by its position, or raise what came instead of one."""


async def load_for_run(given: Suppress | AskedBefore, provider: SmsProvider) -> RowIsSuppressed:
    """Return what tells whether the number of a row is never to be texted.

    Args:
        given: As for `load_suppression`; or answers.
        provider: Knows how to read national numbers.

    Raises:
        ConfigurationError: As for `load_suppression`.
    """
    if isinstance(given, AskedBefore):
        return given.is_suppressed
    is_suppressed = await load_suppression(given, provider)
    return lambda prepared: is_suppressed(prepared.e164)


async def load_suppression(given: Suppress, provider: SmsProvider) -> IsSuppressed:
    """Return what tells whether a number, as E.164, is never to be texted.

    Args:
        given: Numbers as people write them, the path of a file of them, or a function that is
            asked instead.
        provider: Knows how to read national numbers.

    Raises:
        ConfigurationError: It is nothing of the kind, the file can't be read, or an entry is no
            phone number: whoever meant it would be texted.
    """
    check_suppress(given)
    if isinstance(given, (str, os.PathLike)):
        entries = _lines_of(os.fspath(given))
    elif callable(given):
        if any(map(inspect.iscoroutinefunction, (given, type(given).__call__))):
            raise _to_be_awaited()
        return _plain(given)
    else:
        entries = ((f"number {place} of suppress=", number) for place, number in enumerate(given))
    numbers: set[int] = set()
    for count, (place, number) in enumerate(entries, 1):
        if count % _CHECKED_AT_ONCE == 0:
            # A long list must not keep everybody else from the loop.
            await asyncio.sleep(0)
        numbers.add(_digits(place, number, provider))
    return lambda e164: int(e164[1:]) in numbers


def check_suppress(given: object) -> None:
    """Raise `ConfigurationError` for what `suppress=` can't be."""
    readable = (hasattr(given, name) for name in ("__iter__", "__getitem__"))
    if not (isinstance(given, os.PathLike) or callable(given) or any(readable)):
        raise ConfigurationError(
            f"suppress= takes numbers, the path of a file of them, or a function, not "
            f"{type(given).__name__}; an open list of numbers goes into SmsClient(…, "
            "suppressions=…), which asks it as each text leaves. Nothing was sent"
        )


def _plain(ask: IsSuppressed) -> IsSuppressed:
    return lambda e164: checked_answer(ask(e164))


def checked_answer(answer: object) -> object:
    """Return an answer that is one.

    Raises:
        ConfigurationError: It would have to be awaited, and is always true.
    """
    if inspect.isawaitable(answer):
        if inspect.iscoroutine(answer):
            answer.close()
        raise _to_be_awaited()
    return answer


def _to_be_awaited() -> ConfigurationError:
    return ConfigurationError(
        "suppress= takes a plain function, which is asked while planning, and not one that has "
        "to be awaited: its coroutine would suppress everybody. Nothing was sent"
    )


def _lines_of(path: str) -> Iterator[tuple[str, str]]:
    """Yield the numbers of a file, one a line, with the words for their place."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            for line, text in enumerate(file, 1):
                number = text.partition("#")[0].strip()
                if number:
                    yield f"line {line} of {path}", number
    except OSError as exc:
        raise ConfigurationError(f"the numbers to suppress can't be read: {exc}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is no UTF-8 text; save it as UTF-8") from None


def _digits(place: str, number: object, provider: SmsProvider) -> int:
    try:
        return int(read_listed_number(provider, cast(str, number))[1:])
    except SmsError:
        raise ConfigurationError(
            f"{place} is no phone number: {number!r}. Fix it or take it out: as it is, whoever it "
            "stands for would be texted"
        ) from None

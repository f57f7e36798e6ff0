"""Lists that may have no end: how much of one is shown."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Generic, TypeVar

from attrs import frozen
from cyclopts import Parameter, validators

from iprog_async.cli._terminal.output import print_error


T = TypeVar("T")

Limit = Annotated[
    int,
    Parameter(
        name="--limit", validator=validators.Number(gte=0), help="The most to show; 0 for all."
    ),
]


@frozen
class Taken(Generic[T]):
    """The beginning of a list.

    Args:
        items: What was taken.
        more: Whether there is more.
    """

    items: list[T]
    more: bool


async def take(items: AsyncIterator[T], limit: int) -> Taken[T]:
    """Take so many of a list, or all with a limit of 0."""
    taken: list[T] = []
    more = False
    async for item in items:
        if limit and len(taken) == limit:
            more = True
            break
        taken.append(item)
    if isinstance(items, AsyncGenerator):
        await items.aclose()
    return Taken(taken, more)


def tell_of_more(taken: Taken[T]) -> None:
    """Say on stderr if something is not shown, which no JSON document could tell."""
    if taken.more:
        count = len(taken.items)
        shown = "only the first is" if count == 1 else f"only the first {count} are"
        print_error(f"{shown} shown; --limit 0 shows all")

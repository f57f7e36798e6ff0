"""Laravel's paginator: lists that come in pages."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any, Generic, TypeVar

from attrs import frozen

from iprog_async import NoAnswerError
from iprog_async.adapter import is_array, structure
from iprog_async_providers.infopromo._answers import Envelope


T = TypeVar("T")


@frozen
class Page(Generic[T]):
    """One page of a list.

    Args:
        items: What is on it.
        number: Which page it is, from 1.
        last: Which is the last.
    """

    items: list[T]
    number: int = 1
    last: int = 1


@frozen
class _Paginator:
    current_page: int
    last_page: int
    data: list[Any]


def read_page(envelope: Envelope, item: Callable[[Any], T]) -> Page[T]:
    """Read a paginator, or a plain list, which is all there is."""
    if is_array(envelope.data):
        return Page([item(entry) for entry in envelope.data])
    page = structure(envelope.data, _Paginator)
    return Page([item(entry) for entry in page.data], page.current_page, page.last_page)


async def iterate(fetch: Callable[[int], Awaitable[Page[T]]], provider: str) -> AsyncIterator[T]:
    """Yield the items of all pages; see `iterate_pages`."""
    async for page in iterate_pages(fetch, provider):
        for item in page.items:
            yield item


async def iterate_pages(
    fetch: Callable[[int], Awaitable[Page[T]]], provider: str, first: int = 1
) -> AsyncGenerator[Page[T]]:
    """Yield the pages of a list; the addresses of pages that the server gives are not used.

    Args:
        fetch: Asks for a page.
        provider: Name of the provider, for errors.
        first: Which page to begin with.

    Raises:
        NoAnswerError: A page is not the one that was asked for, or the list never ends.
    """
    number, limit = first, 0
    while True:
        page = await fetch(number)
        if page.number != number:
            raise NoAnswerError(
                f"{provider}: asked for page {number} of the list and got page {page.number}"
            )
        # New entries may make the list longer while it is read, but not without end.
        limit = limit or 2 * page.last + 10
        yield page
        if number >= page.last or not page.items:
            return
        if number >= limit:
            raise NoAnswerError(f"{provider}: the list has no end: page {number} of {page.last}")
        number += 1

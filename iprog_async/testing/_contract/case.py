"""What the author of an adapter supplies to the contract: data, and how to build the adapter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import cached_property
from typing import Any
from urllib.parse import quote

from attrs import field, frozen, validators

from iprog_async._core.errors import ProviderError
from iprog_async._core.messages import Message
from iprog_async._http.pool import HttpPool
from iprog_async.testing._raw_gateway.messages import RawRequest, Reply


Make = Callable[[str], Any]
"""Builds the adapter for the base URL of a gateway."""

OpenPool = Callable[..., AbstractAsyncContextManager[HttpPool]]
"""`HttpPool`, or what opens one with the same arguments, over another engine for example."""


def _texts(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(given)


@frozen(kw_only=True)
class Operation:
    """One of the adapter's operations besides sending, and the answer to it.

    Args:
        call: Awaits the operation on the bound adapter.
        reply: The answer of a gateway that does as asked.
        gone: For a delete: the answer when there is nothing (any more) to delete.
    """

    call: Callable[[Any], Awaitable[object]] = field(repr=False)
    reply: Reply
    gone: Reply = field(factory=lambda: Reply(404))


@frozen(kw_only=True)
class ContractCase:
    """All that the contract has to know about one adapter.

    Args:
        name: What the adapter is called in the names of the tests.
        make: Builds the adapter for a base URL, with the secrets below and no retries or
            waits of its own.
        numbers: Distinct valid numbers in international form; at least 6. With more than the
            adapter puts into one request, the limit is checked too.
        success: Finds the answer to a send, from the recipients in the adapter's notation;
            one recipient often gets another shape than many.
        unknown_error: An error envelope with a text that the adapter's table does not know.
        refusal: An error envelope that the table knows to come before dispatch.
        refusal_error: The class that `refusal` becomes.
        secrets: Every credential that `make` uses, and what else in the answers is secret; with
            a few odd characters, such as `|/+`, they also show whether each spelling is masked.
        reads: Operations that change nothing, such as status and balance.
        deletes: Operations that delete.
        billed: Further operations whose repetition would cost or do something twice.
        variants: Further ways to build the adapter, for which the same answers hold.
        partly: Finds the answer to a send to several that refuses the first recipient and accepts
            the others, if the gateway has such a one.
        limited: The answer of a gateway that asks to slow down.
        text: What is sent.
        foreign_options: Options objects that are of another adapter.
        bad_numbers: Further numbers that the adapter must refuse, such as landlines.
        address: An address that builds the adapter, with `{scheme}`, `{secret}` for the first
            of the secrets, and `{base_url}`, both percent-encoded for it.
        registered: Whether the adapter is to be found by its name, as by an entry point; what
            an entry point needs is checked only of those.
    """

    name: str
    make: Make = field(repr=False)
    numbers: Sequence[str] = field(converter=_texts, validator=validators.min_len(6), repr=False)
    success: Callable[[Sequence[str]], Reply] = field(repr=False)
    unknown_error: Reply
    refusal: Reply
    refusal_error: type[ProviderError]
    secrets: Sequence[str] = field(converter=_texts, validator=validators.min_len(1), repr=False)
    reads: Mapping[str, Operation] = field(factory=dict[str, Operation])
    deletes: Mapping[str, Operation] = field(factory=dict[str, Operation])
    billed: Mapping[str, Operation] = field(factory=dict[str, Operation])
    variants: Mapping[str, Make] = field(factory=dict[str, Make])
    partly: Callable[[Sequence[str]], Reply] | None = field(default=None, repr=False)
    limited: Reply = field(factory=lambda: Reply.of_json({"message": "Too Many Attempts."}, 429))
    text: str = "Your parcel has shipped."
    foreign_options: Sequence[object] = (object(), "plain", {"type": "plain"})
    bad_numbers: Sequence[str] = ()
    address: str = field(default="{scheme}://{secret}@?base_url={base_url}", repr=False)
    registered: bool = True

    def address_for(self, scheme: str, base_url: str) -> str:
        """Return an address of the adapter at a base URL."""
        secret, host = quote(self.secrets[0], safe=""), quote(base_url, safe="")
        return self.address.format(scheme=scheme, secret=secret, base_url=host)

    def subjects(self, open_pool: OpenPool = HttpPool) -> list[Subject]:
        """Return the adapter in each way it can be built."""
        made = {"": self.make, **self.variants}
        return [
            Subject(f"{self.name}-{key}" if key else self.name, self, make, open_pool)
            for key, make in made.items()
        ]


@frozen
class Subject:
    """An adapter as the checks see it: one way to build it, and the case it belongs to.

    Args:
        name: Name of the case and the variant.
        case: The data.
        make: Builds the adapter for a base URL.
        open_pool: Opens a pool with these arguments.
    """

    name: str
    case: ContractCase
    make: Make = field(repr=False)
    open_pool: OpenPool = field(default=HttpPool, repr=False)

    @property
    def number(self) -> str:
        """One valid number."""
        return self.case.numbers[0]

    @cached_property
    def wires(self) -> tuple[str, ...]:
        """All numbers in the adapter's notation."""
        return tuple(self.wire(*self.case.numbers))

    def message(self, position: int = 0) -> Message:
        """Return a valid message for one of the numbers."""
        return Message(self.case.numbers[position], self.case.text)

    def wire(self, *numbers: str) -> list[str]:
        """Return numbers in the adapter's notation."""
        provider = self.make("http://127.0.0.1:9")
        return [provider.prepare(Message(number, self.case.text)).to for number in numbers]

    def success(self, *numbers: str) -> Reply:
        """Return the answer to a send to these numbers, the first valid one if none is given."""
        return self.case.success(self.wire(*(numbers or (self.number,))))

    def named(self, request: RawRequest) -> list[str]:
        """Return those of the numbers that a request names, in the adapter's notation."""
        values = ",".join(request.values)
        return [wire for wire in self.wires if wire in values]

    def accept(self, request: RawRequest) -> Reply:
        """Return the answer to a send to whichever of the numbers it names, if any."""
        # A read names none, and no gateway answers a send to nobody.
        return self.case.success(self.named(request) or self.wire(self.number))
